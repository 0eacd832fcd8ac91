import Foundation
import Synchronization
import Testing

extension QueueOnClusterTests {
    /// Two servers of one queue under load, one of which is killed.
    @Suite(.serialized) struct KilledServer {
        /// How often: `BEANSPIKE_KILL_ROUNDS`, once if it is not set.
        private static let rounds =
            ProcessInfo.processInfo.environment["BEANSPIKE_KILL_ROUNDS"].flatMap { Int($0) } ?? 1

        /// Nothing that was acknowledged is lost, nothing is back from deletion, and what the dead one's clients held is free.
        @Test(.timeLimit(.minutes(20)), arguments: QueueOnCluster.Place.all)
        func costsNothing(place: QueueOnCluster.Place) async throws {
            for round in 1...Self.rounds {
                try await QueueOnCluster.with(place) { queue in try Self.round(queue, "\(place), round \(round)") }
            }
        }

        private static func round(_ queue: QueueOnCluster, _ name: String) throws {
            let (victim, other) = (try queue.server(), try queue.server())
            // Each learns of the other by a heartbeat.
            let waiting = try other.connect()
            try waiting.send("reserve-with-timeout 20")
            let first = try victim.connect().put("first")
            #expect(try waiting.readReply().id(after: "RESERVED") == first)
            #expect(try waiting.ask("delete \(first)").line == "DELETED")

            let load = ServerLoad()
            let threads = (0..<12).map { number in
                // Every third client holds what it takes: that is what has to come free.
                let server = number.isMultiple(of: 2) ? victim : other
                return load.start(server, holds: number % 6 == 0, isVictim: server === victim)
            }
            usleep(1_500_000)
            let held = load.heldByVictim
            let killedAt = ContinuousClock.now
            load.serverIsKilled()
            try victim.killAtOnce()
            // Until the last of what its clients held was handed out again.
            let limit = Deadline(seconds: 20)
            while !load.areFree(held), !limit.hasPassed { usleep(5_000) }
            let freeAfter = ContinuousClock.now - killedAt
            #expect(load.areFree(held), "\(name): some jobs of the killed server's clients did not come free")
            load.end()
            for thread in threads { thread.wait() }
            #expect(load.failures.isEmpty, "\(name)")

            // What is left comes out, each once.
            let drain = try other.connect()
            while true {
                let reply = try drain.ask("reserve-with-timeout 1")
                guard let id = reply.id(after: "RESERVED") else { break }
                load.came(id)
                guard try drain.ask("delete \(id)").line == "DELETED" else { throw TestFailure("\(id) is not ours") }
                load.deleted(id)
            }
            #expect(load.lost.isEmpty, "\(name): lost")
            #expect(load.back.isEmpty, "\(name): back from deletion, or twice")
            let stats = try drain.ask("stats")
            for state in ["ready", "reserved", "delayed", "buried"] { #expect(stats["current-jobs-\(state)"] == "0") }
            print(
                "\(name): \(load.putCount) put; \(held.count) jobs that the killed server's clients held were all handed out "
                    + "again \(freeAfter) after the kill; the others did nothing for \(load.longestGap) at most"
            )
            #expect(try other.stop() == 0)
        }
    }
}

/// Clients of two servers, and what they were told.
private final class ServerLoad: Sendable {
    private struct State {
        var put: Set<UInt64> = []
        var deleted: Set<UInt64> = []
        /// Deletions that were asked for and not answered.
        var doubtful: Set<UInt64> = []
        var heldByVictim: Set<UInt64> = []
        var cameAgain: Set<UInt64> = []
        var back: Set<UInt64> = []
        var failures: [String] = []
        var isKilled = false
        var isOver = false
        var last: ContinuousClock.Instant?
        var longestGap = Duration.zero
    }

    /// A thread that somebody waits for.
    struct Running: Sendable {
        let isDone = DispatchSemaphore(value: 0)
        func wait() { isDone.wait() }
    }

    private let state = Mutex(State())

    var putCount: Int { state.withLock { $0.put.count } }
    var heldByVictim: Set<UInt64> { state.withLock { $0.heldByVictim } }
    var lost: Set<UInt64> { state.withLock { $0.put.subtracting($0.deleted).subtracting($0.doubtful) } }
    var back: Set<UInt64> { state.withLock { $0.back } }
    var failures: [String] { state.withLock { $0.failures } }
    var longestGap: Duration { state.withLock { $0.longestGap } }

    func serverIsKilled() {
        state.withLock { state in
            state.isKilled = true
            state.last = .now
        }
    }

    func areFree(_ jobs: Set<UInt64>) -> Bool {
        state.withLock { jobs.subtracting($0.cameAgain).subtracting($0.doubtful).isEmpty }
    }

    func end() { state.withLock { $0.isOver = true } }

    func came(_ job: UInt64) {
        state.withLock { state in
            if state.deleted.contains(job) { state.back.insert(job) }
            if state.isKilled { state.cameAgain.insert(job) }
        }
    }

    func deleted(_ job: UInt64) {
        state.withLock { state in
            if !state.deleted.insert(job).inserted { state.back.insert(job) }
        }
    }

    func start(_ server: ServerProcess, holds: Bool, isVictim: Bool) -> Running {
        let running = Running()
        let thread = Thread {
            do {
                try self.run(try server.connect(), holds: holds, isVictim: isVictim)
            } catch {
                self.state.withLock { state in
                    // The clients of the one that is killed are cut off.
                    if !(isVictim && state.isKilled) { state.failures.append("\(error)") }
                }
            }
            running.isDone.signal()
        }
        thread.start()
        return running
    }

    private func run(_ client: RawConnection, holds: Bool, isVictim: Bool) throws {
        var count = 0
        while !state.withLock({ $0.isOver }) {
            count += 1
            // Of one priority: what comes free is older than the rest, and is handed out first.
            let id = try client.put("job \(count)")
            state.withLock { state in
                state.put.insert(id)
                if !isVictim { Self.progress(&state) }
            }
            guard let job = try client.ask("reserve-with-timeout 1").id(after: "RESERVED") else { continue }
            came(job)
            if holds, isVictim, count <= 40 {
                state.withLock { _ = $0.heldByVictim.insert(job) }
                continue
            }
            state.withLock { _ = $0.doubtful.insert(job) }
            guard try client.ask("delete \(job)").line == "DELETED" else { throw TestFailure("\(job) is not found") }
            state.withLock { state in
                state.doubtful.remove(job)
                if !isVictim { Self.progress(&state) }
            }
            deleted(job)
            usleep(2_000)
        }
    }

    private static func progress(_ state: inout State) {
        guard let last = state.last else { return }
        let now = ContinuousClock.now
        state.longestGap = max(state.longestGap, now - last)
        state.last = now
    }
}

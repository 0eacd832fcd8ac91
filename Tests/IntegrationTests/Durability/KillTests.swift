import Foundation
import Testing

/// What is acknowledged is there after `kill -9`, whenever it comes.
///
/// `BEANSPIKE_KILL_ROUNDS` sets how often (3), `BEANSPIKE_KILL_SEED` repeats a run's commands.
@Suite struct KillTests {
    private static let clients = 8
    /// At least so many commands are answered before the server is killed.
    private static let repliesMin = 100

    private static let roundsWanted = ProcessInfo.processInfo.environment["BEANSPIKE_KILL_ROUNDS"].flatMap { Int($0) }

    @Test(
        .enabled(
            if: ServerProgram.isOurs || roundsWanted != nil,
            "beanstalkd promises less; BEANSPIKE_KILL_ROUNDS=1 shows what"
        )
    )
    func acknowledgedChangesSurviveKill9() async throws {
        let seed = SeededGenerator.seed(from: "BEANSPIKE_KILL_SEED")
        let rounds = Self.roundsWanted ?? 3
        print("kill test: BEANSPIKE_KILL_SEED=\(seed), \(rounds) rounds")
        let acknowledged = try await onThread { try Self.run(seed: seed, rounds: rounds) }
        print("kill test: \(acknowledged) acknowledged commands, none lost")
        #expect(acknowledged >= rounds * Self.repliesMin)
    }

    private static func run(seed: UInt64, rounds: Int) throws -> Int {
        var random = SeededGenerator(seed: seed)
        let directory = try TemporaryDirectory()
        let server = try ServerProcess(directory: directory.path)
        var ledgers = (0..<clients).map { JobLedger(tube: "tube-\($0)") }
        for round in 1...rounds {
            do {
                ledgers = try load(server, ledgers, &random)
                try server.restart()
                try LedgerAudit(server).run(&ledgers)
            } catch {
                throw TestFailure("BEANSPIKE_KILL_SEED=\(seed), round \(round): \(error)")
            }
        }
        // Burials in their order, through all those restarts.
        let audit = try LedgerAudit(server)
        for ledger in ledgers {
            let order = try audit.kickAllBuried(of: ledger)
            guard order == ledger.burials else {
                throw TestFailure("\(ledger.tube): burials are in the order \(order), not \(ledger.burials)")
            }
        }
        guard try server.stop() == 0 else { throw TestFailure("exit status: \(server.standardError)") }
        return ledgers.reduce(0) { $0 + $1.acknowledged }
    }

    /// Lets all clients work, kills the server in the middle, and returns what the clients know.
    private static func load(
        _ server: ServerProcess,
        _ ledgers: [JobLedger],
        _ random: inout SeededGenerator
    ) throws -> [JobLedger] {
        let seeds = ledgers.map { _ in random.next() }
        let port = server.port
        // By replies, not by time: a slow machine is killed in the middle of its work too.
        let clock = KillClock(replies: Int.random(in: repliesMin...20_000, using: &random))
        let killing = Thread {
            clock.waitAndStrike(secondsMax: 10)
            server.signal(SIGKILL)
        }
        killing.start()
        let after = try concurrently(clients) { index in
            var client = LedgerClient(ledgers[index], seed: seeds[index]) { clock.count() }
            let ledger = client.work(try RawConnection(port: port), commandsMax: 1_000_000)
            guard clock.hasStruck || ledger.violation != nil else {
                throw TestFailure("\(ledger.tube): the connection broke before the server was killed")
            }
            return ledger
        }
        let status = try server.waitForExit()
        guard status == -SIGKILL else { throw TestFailure("exit status \(status): \(server.standardError)") }
        if let violation = after.compactMap(\.violation).first { throw TestFailure(violation) }
        return after
    }
}

/// When the server is killed: after so many replies.
private final class KillClock: @unchecked Sendable {
    // Safe: both variables are used with the lock held.
    private let condition = NSCondition()
    private var repliesLeft: Int
    private var struck = false

    init(replies: Int) { repliesLeft = replies }

    func count() {
        condition.withLock {
            repliesLeft -= 1
            if repliesLeft == 0 { condition.signal() }
        }
    }

    /// Waits for the replies, at most so long.
    func waitAndStrike(secondsMax: Double) {
        let end = Date(timeIntervalSinceNow: secondsMax)
        condition.withLock {
            while repliesLeft > 0, condition.wait(until: end) {}
            struck = true
        }
    }

    var hasStruck: Bool { condition.withLock { struck } }
}

import Foundation
import Testing

/// What is acknowledged is there after `kill -9`, whenever it comes.
///
/// `BEANSPIKE_KILL_ROUNDS` sets how often (3), `BEANSPIKE_KILL_SEED` repeats a run's commands.
@Suite struct KillTests {
    private static let clients = 8

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
        #expect(acknowledged > rounds * 100)
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
            guard Set(order) == Set(ledger.burials) else { throw TestFailure("\(ledger.tube): other jobs are buried") }
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
        let delay = useconds_t(Int.random(in: 100_000...1_500_000, using: &random))
        let clock = KillClock()
        let killing = Thread {
            usleep(delay)
            clock.strike()
            server.signal(SIGKILL)
        }
        killing.start()
        let after = try concurrently(clients) { index in
            var client = LedgerClient(ledgers[index], seed: seeds[index])
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

/// Whether the server is being killed.
private final class KillClock: @unchecked Sendable {
    // Safe: the flag is guarded by the lock.
    private let lock = NSLock()
    private var struck = false

    func strike() { lock.withLock { struck = true } }
    var hasStruck: Bool { lock.withLock { struck } }
}

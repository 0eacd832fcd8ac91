import Foundation
import Testing

/// beanstalkd and ours answer the same random commands alike.
///
/// `BEANSPIKE_DIFFERENTIAL_SEED` runs the one of a failure again, `BEANSPIKE_DIFFERENTIAL_COMMANDS` sets how many.
@Suite struct DifferentialTests {
    @Test(
        .enabled(if: ServerProgram.beanstalkd.isInstalled, "no beanstalkd: run script/setup"),
        arguments: [true, false]
    )
    func beanstalkdAndOursAnswerAlike(onDisk: Bool) async throws {
        let seed = SeededGenerator.seed(from: "BEANSPIKE_DIFFERENTIAL_SEED")
        let count = ProcessInfo.processInfo.environment["BEANSPIKE_DIFFERENTIAL_COMMANDS"].flatMap { Int($0) } ?? 4_000
        print("differential test: BEANSPIKE_DIFFERENTIAL_SEED=\(seed), \(count) commands")
        do {
            try await onThread {
                let directory = try TemporaryDirectory()
                let ours = try ServerProcess(directory: onDisk ? directory.path : nil)
                let peer = try ServerProcess(.beanstalkd)
                var run = try DifferentialRun(seed: seed, servers: [peer, ours])
                try run.run(commands: count)
            }
        } catch {
            throw TestFailure("BEANSPIKE_DIFFERENTIAL_SEED=\(seed): \(error)")
        }
    }
}

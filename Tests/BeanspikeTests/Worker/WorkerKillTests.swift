import Beanspike
import Foundation
import Glibc
import Testing

/// A worker's process that is killed again and again, with another taking over each time.
@Suite struct WorkerKillTests {
    private static func number(_ name: String, _ fallback: Int) -> Int {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? fallback
    }

    private static let kills = number("BEANSPIKE_WORKER_KILLS", 3)
    private static let jobs = number("BEANSPIKE_WORKER_KILL_JOBS", 2_000)
    private static let concurrency = 8

    @Test(.timeLimit(.minutes(5)))
    func onTheEmbeddedStore() async throws {
        let directory = FileManager.default.temporaryDirectory
            .appendingPathComponent("beanspike-\(UInt64.random(in: 0 ... .max))").path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await run("embedded:\(directory)", prefix: "")
    }

    @Test(.timeLimit(.minutes(5)))
    func onACluster() async throws {
        try await TestQueue.withNodes { nodes in
            let location = StoreLocation.aerospike(nodes: nodes, namespace: "test")
            try await run(location.description, prefix: "t\(UInt32.random(in: 0 ... .max))")
        }
    }

    private func run(_ url: String, prefix: String) async throws {
        var configuration = Connection.Configuration()
        configuration.store.setPrefix = prefix
        configuration.store.acceptsRisks = true
        let file = FileManager.default.temporaryDirectory
            .appendingPathComponent("beanspike-\(UInt64.random(in: 0 ... .max)).handled").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        let put: [Job.ID] = try await withStore(url, configuration) { tube in
            var ids: [Job.ID] = []
            for _ in 0..<Self.jobs / 500 {
                let jobs = (0..<500).map { NewJob(Array("\($0)".utf8), timeToRun: .seconds(60)) }
                ids += try await tube.put(contentsOf: jobs).map { try $0.get() }
            }
            return ids
        }
        for _ in 1...Self.kills {
            let share = put.count / (Self.kills + 1)
            let worker = try Self.start(url, file, prefix, killAfter: share - Int.random(in: 0..<100))
            try await eventually("the worker is killed", within: .seconds(90)) { !worker.isRunning }
            #expect(worker.terminationReason == .uncaughtSignal && worker.terminationStatus == SIGKILL)
        }
        let last = try Self.start(url, file, prefix, killAfter: .max)
        // Well before the time to run is over: what the dead held comes back because they are dead.
        try await eventually("the last worker ends", within: .seconds(50)) { !last.isRunning }
        #expect(last.terminationStatus == 0)
        let handled = Self.handled(file)
        #expect(Set(handled) == Set(put))
        // What was handled when its worker died, and not deleted yet, is handled again.
        #expect(handled.count - put.count <= Self.kills * Self.concurrency)
        let left = try await withStore(url, configuration) { try await $0.statistics() }
        #expect(left.jobs == 0)
    }

    private func withStore<Result: Sendable>(
        _ url: String,
        _ configuration: Connection.Configuration,
        _ body: (Tube) async throws -> Result
    ) async throws -> Result {
        try await Connection.withConnection(url, configuration: configuration, logger: TestQueue.quiet) { connection in
            try await body(try connection.use("kills"))
        }
    }

    private static func handled(_ file: String) -> [Job.ID] {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else { return [] }
        return text.split(separator: "\n").compactMap { Job.ID($0) }
    }

    private static func start(
        _ url: String,
        _ file: String,
        _ prefix: String,
        killAfter: Int
    ) throws -> Process {
        // Where the build put it: beside the tests that run now.
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: tests).deletingLastPathComponent()
            .appendingPathComponent("WorkerUnderTest")
        process.arguments = [url, file, prefix, "\(killAfter)"]
        process.standardInput = FileHandle.nullDevice
        try process.run()
        return process
    }
}

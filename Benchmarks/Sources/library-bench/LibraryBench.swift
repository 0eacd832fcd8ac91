import Aerospike
import ArgumentParser
import Beanspike
import Foundation
import Logging
import NIOCore

/// The original's three benchmarks, by the same names, beside plain puts of the same client in the same run.
///
/// One caller, one call after the other, as the original's: `Put` puts jobs of five bytes with metadata, `Reserve` reserves them
/// and keeps them, `Release` gives them back as retries. Each round measures everything once, since what a machine does changes
/// from minute to minute; what counts is the median of the rounds' ratios.
@main
struct LibraryBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "library-bench",
        abstract: "Measure Put, Reserve and Release of the library beside a plain put, in one run."
    )

    @Argument(help: "A node's host.")
    var host: String

    @Argument(help: "Its port.")
    var port: Int

    @Option(help: "The namespace.")
    var namespace = "beanspike"

    @Option(help: "In front of the names of the queue's sets.")
    var prefix = "bench-"

    @Option(help: "Rounds; in each everything is measured once.")
    var rounds = 8

    @Option(help: "Calls of each kind in a round.")
    var calls = 500

    func run() async throws {
        var configuration = Connection.Configuration()
        configuration.store.setPrefix = prefix
        configuration.store.acceptsRisks = true
        var logger = Logger(label: "library-bench")
        logger.logLevel = .error
        let connection = try await Connection.dial(
            id: "bench",
            host: host,
            port: port,
            namespace: namespace,
            configuration: configuration,
            logger: logger
        )
        let client = AerospikeClient(
            AerospikeClientConfiguration(seeds: [.init(host, port: port)]),
            logger: logger
        )
        let running = Task { try? await client.run() }
        do {
            try await client.waitUntilConnected()
            try await measure(connection, client)
        } catch {
            running.cancel()
            try? await connection.close()
            throw error
        }
        running.cancel()
        await running.value
        try await connection.close()
    }

    private func measure(_ connection: Connection, _ client: AerospikeClient) async throws {
        let tube = try connection.use("benchtesttube-\(UInt32.random(in: 0 ... .max))")
        let plain = PlainPuts(client: client, namespace: namespace)
        _ = try await plain.times(count: 1_000)
        _ = try await tube.times(count: calls)
        try await connection.delete(tube.name)
        var ratios: [String: [Double]] = [:]
        var medians: [String: [Double]] = [:]
        for round in 1...max(1, rounds) {
            // Before and after by turns, so that neither has the warmer machine.
            var beside = round.isMultiple(of: 2) ? try await plain.times(count: calls).median : 0
            let times = try await tube.times(count: calls)
            if beside == 0 { beside = try await plain.times(count: calls).median }
            medians["plain put", default: []].append(beside)
            for (name, times) in times {
                medians[name, default: []].append(times.median)
                ratios[name, default: []].append(times.median / beside)
            }
            try await connection.delete(tube.name)
        }
        print("medians of \(rounds) rounds of \(calls) calls, one caller")
        print("plain put  \(Self.micro(medians["plain put"] ?? [])) us")
        for (name, bar) in [("Put", 1.3), ("Reserve", 1.6), ("Release", 1.5)] {
            let ratio = (ratios[name] ?? []).median
            let isMet = ratio <= bar ? "met" : "NOT MET"
            let padded = name.padding(toLength: 10, withPad: " ", startingAt: 0)
            print(
                "\(padded) \(Self.micro(medians[name] ?? [])) us, \((ratio * 100).rounded() / 100) of it; "
                    + "the bar is at most \(bar): \(isMet)"
            )
        }
    }

    private static func micro(_ nanoseconds: [Double]) -> String { "\((nanoseconds.median / 100).rounded() / 10)" }
}

extension Tube {
    /// The times of so many calls of each kind, in nanoseconds, made where the store works.
    fileprivate func times(count: Int) async throws -> [String: [Int64]] {
        try await withTaskExecutorPreference(connection.executor) {
            var times: [String: [Int64]] = [:]
            func time<Result>(_ name: String, _ body: () async throws -> Result) async throws -> Result {
                let start = NIODeadline.now()
                let result = try await body()
                times[name, default: []].append((NIODeadline.now() - start).nanoseconds)
                return result
            }
            for _ in 0..<count { _ = try await time("Put") { try await put("hello", metadata: "metadata") } }
            var ids: [Job.ID] = []
            for _ in 0..<count {
                guard let job = try await time("Reserve", { try await reserve() }) else {
                    throw BeanspikeError(.readFailed, "A job that was put is not there.")
                }
                ids.append(job.id)
            }
            for id in ids { try await time("Release") { try await release(id, isRetry: true) } }
            return times
        }
    }
}

/// What everything is measured beside: puts of five bytes by the same client, on its own executor.
private struct PlainPuts {
    let client: AerospikeClient
    let namespace: String

    func times(count: Int) async throws -> [Int64] {
        try await withTaskExecutorPreference(client.executor) {
            var times: [Int64] = []
            for number in 0..<count {
                let key = Key(namespace: namespace, set: "bench-plain", .integer(Int64(number % 256)))
                let start = NIODeadline.now()
                try await client.put(key, ["b": .bytes(Array("hello".utf8))])
                times.append((NIODeadline.now() - start).nanoseconds)
            }
            return times
        }
    }
}

extension [Int64] {
    fileprivate var median: Double { map { Double($0) }.median }
}

extension [Double] {
    fileprivate var median: Double {
        guard !isEmpty else { return .nan }
        let sorted = sorted()
        return count.isMultiple(of: 2) ? (sorted[count / 2 - 1] + sorted[count / 2]) / 2 : sorted[count / 2]
    }
}

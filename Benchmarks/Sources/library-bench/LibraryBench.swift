import Aerospike
import ArgumentParser
@_spi(Measuring) import Beanspike
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
        do {
            guard let client = connection.aerospikeClient else { throw ValidationError("\(host) is no cluster") }
            try await measure(connection, PlainPuts(client: client, namespace: namespace))
        } catch {
            try? await connection.close()
            throw error
        }
        try await connection.close()
    }

    private func measure(_ connection: Connection, _ plain: PlainPuts) async throws {
        let tube = try connection.use("benchtesttube-\(UInt32.random(in: 0 ... .max))")
        _ = try await tube.times(count: calls, beside: plain)
        try await connection.delete(tube.name)
        var ratios: [String: [Double]] = [:]
        var medians: [String: [Double]] = [:]
        for _ in 0..<max(1, rounds) {
            for (name, times) in try await tube.times(count: calls, beside: plain) {
                medians[name, default: []].append(times.calls.median)
                medians["plain put", default: []].append(times.plain.median)
                ratios[name, default: []].append(times.calls.median / times.plain.median)
            }
            try await connection.delete(tube.name)
        }
        print("medians of \(rounds) rounds of \(calls) calls, one caller, a plain put before each call")
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
    /// Times in nanoseconds: of calls, and of the plain puts between them.
    fileprivate struct Times {
        var calls: [Int64] = []
        var plain: [Int64] = []
    }

    /// The times of so many calls of each kind, made where the store works, with a plain put before each: whatever the
    /// machine does to the one, it does to the other.
    fileprivate func times(count: Int, beside plain: PlainPuts) async throws -> [String: Times] {
        try await withTaskExecutorPreference(connection.executor) {
            var times: [String: Times] = [:]
            func time<Result>(_ name: String, _ body: () async throws -> Result) async throws -> Result {
                times[name, default: Times()].plain.append(try await plain.time())
                let start = NIODeadline.now()
                let result = try await body()
                times[name, default: Times()].calls.append((NIODeadline.now() - start).nanoseconds)
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

/// What everything is measured beside: puts of five bytes by the connection's own client.
private struct PlainPuts {
    let client: AerospikeClient
    let namespace: String

    func time() async throws -> Int64 {
        let key = Key(namespace: namespace, set: "bench-plain", .integer(Int64.random(in: 0..<256)))
        let start = NIODeadline.now()
        try await client.put(key, ["b": .bytes(Array("hello".utf8))])
        return (NIODeadline.now() - start).nanoseconds
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

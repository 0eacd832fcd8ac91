import Aerospike
@_spi(Measuring) import AerospikeStore
import ArgumentParser
import BeanspikeCore
import Foundation
import NIOCore

/// Measures the queue on a cluster, through the library, beside plain puts of the same client.
@main
struct QueueBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queue-bench",
        abstract: "Measure the queue on Aerospike beside plain puts of the same client, in one run."
    )

    @Argument(help: "A node's host.")
    var host: String

    @Argument(help: "Its port.")
    var port: Int

    @Option(help: "The namespace.")
    var namespace = "beanspike"

    @Option(help: "In front of the names of the queue's sets.")
    var prefix = "bench-"

    @Option(help: "Waiting jobs, fewer and more.")
    var depths = "1000,1000000"

    @Option(help: "Rounds; in each everything is measured once.")
    var rounds = 8

    @Option(help: "Calls of each kind of one caller in a round, each behind a plain put.")
    var calls = 300

    @Option(help: "Seconds that several callers are measured for in a round.")
    var seconds = 1.0

    @Option(help: "Jobs by which waiting is measured.")
    var waits = 300

    @Flag(help: "Print only the plain puts a second of eight callers.")
    var plain = false

    @Option(help: ArgumentHelp("Wait for jobs of this tube, and tell how long they took.", visibility: .hidden))
    var wait: String?

    func run() async throws {
        if plain { return try await withClient { print(Int(try await $0.rate(callers: 8, for: .seconds(2)))) } }
        var options = AerospikeStore.Options()
        options.setPrefix = prefix
        options.acceptsRisks = true
        let store = try await AerospikeStore.open(
            seeds: [.init(host, port: port)],
            namespace: namespace,
            options: options
        )
        do {
            if let wait {
                try await Waiting(store: store, tube: tubeName(wait), count: waits).tell()
            } else {
                try await measure(store, PlainPuts(client: store.client, namespace: namespace))
            }
        } catch {
            try? await store.close()
            throw error
        }
        try await store.close()
    }

    private func withClient(_ body: (PlainPuts) async throws -> Void) async throws {
        let client = AerospikeClient(AerospikeClientConfiguration(seeds: [.init(host, port: port)]))
        let running = Task { try? await client.run() }
        try await client.waitUntilConnected()
        try await body(PlainPuts(client: client, namespace: namespace))
        running.cancel()
        await running.value
    }

    private func tubeName(_ text: String) throws -> TubeName {
        guard let name = TubeName(text) else { throw ValidationError("\(text) is no name of a tube") }
        return name
    }

    private func measure(_ store: AerospikeStore, _ plain: PlainPuts) async throws {
        let depths = depths.split(separator: ",").compactMap { Int($0) }
        guard !depths.isEmpty else { throw ValidationError("--depths takes numbers, such as 1000,1000000") }
        let driver = Driver(store)
        var tubes: [(depth: Int, name: TubeName)] = []
        for depth in depths { tubes.append((depth, try tubeName("bench-\(depth)-\(UInt32.random(in: 0 ... .max))"))) }
        defer { withExtendedLifetime(driver) {} }
        do {
            try await measure(store, driver, tubes, plain)
            for tube in tubes { try await driver.run([Once(Request(command: .truncate(tube.name)))], tube: tube.name) }
        } catch {
            for tube in tubes { try? await driver.run([Once(Request(command: .truncate(tube.name)))], tube: tube.name) }
            throw error
        }
    }

    private func measure(
        _ store: AerospikeStore,
        _ driver: Driver,
        _ tubes: [(depth: Int, name: TubeName)],
        _ plain: PlainPuts
    ) async throws {
        for tube in tubes {
            let start = NIODeadline.now()
            let fillers = (0..<64).map { Filler(count: tube.depth / 64 + ($0 < tube.depth % 64 ? 1 : 0)) }
            try await driver.run(fillers, tube: tube.name)
            let seconds = Double((NIODeadline.now() - start).nanoseconds) / 1e9
            note("filled with \(tube.depth) jobs in \(seconds) s by 64 callers: \(Int(Double(tube.depth) / seconds))/s")
        }
        let working = try tubeName("bench-work-\(UInt32.random(in: 0 ... .max))")
        var table = Table(depths: tubes.map(\.depth))
        for round in 1...rounds {
            // In turns forward and backward.
            for tube in round % 2 == 0 ? tubes.reversed() : tubes {
                let caller = OneCaller(store: store, plain: plain, tube: tube.name, count: calls)
                table.add(try await caller.run(), depth: tube.depth)
            }
            let time = TimeAmount.nanoseconds(Int64(seconds * 1e9))
            let rate = try await plain.rate(callers: 8, for: time)
            // More than eight workers can take meanwhile.
            let count = Int(rate * seconds) / 64
            try await driver.run((0..<64).map { _ in Filler(count: max(1, count)) }, tube: working)
            let start = NIODeadline.now()
            let workers = (0..<8).map { _ in Worker(until: start + time) }
            try await driver.run(workers, tube: working)
            let jobs = workers.map(\.jobs).reduce(0, +)
            table.add(plainRate: rate, jobs: Double(jobs) / (Double((NIODeadline.now() - start).nanoseconds) / 1e9))
            try await driver.run([Once(Request(command: .truncate(working)))], tube: working)
        }
        table.print()
        fflush(nil)
        if waits > 0 {
            let waiting = try tubeName("bench-wait-\(UInt32.random(in: 0 ... .max))")
            try await waitMeasure(driver, waiting)
        }
    }

    private func waitMeasure(_ driver: Driver, _ tube: TubeName) async throws {
        let child = Process()
        child.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        child.arguments = [
            host, String(port), "--namespace", namespace, "--prefix", prefix, "--waits", String(waits), "--wait",
            tube.description,
        ]
        let output = Pipe()
        child.standardOutput = output
        try child.run()
        // A process is known to another at its next heartbeat, a fifth of five seconds.
        try await Task.sleep(for: .seconds(3))
        for _ in 0..<waits {
            let now = String(NIODeadline.now().uptimeNanoseconds)
            try await driver.run([Once(.put(Array(now.utf8)))], tube: tube)
            try await Task.sleep(for: .milliseconds(10))
        }
        let told = output.fileHandleForReading.readDataToEndOfFile()
        child.waitUntilExit()
        print(String(decoding: told, as: UTF8.self), terminator: "")
        guard child.terminationStatus == 0 else { throw ExitCode.failure }
    }
}

/// The other process, which waits.
struct Waiting {
    var store: AerospikeStore
    var tube: TubeName
    var count: Int

    func tell() async throws {
        let driver = Driver(store)
        let waiter = Waiter(count: count)
        try await driver.run([waiter], tube: tube)
        let times = waiter.latencies
        print(
            Table.line(
                "put in one process, reserved in another that waits",
                "p50 \(Table.micro(times.quantile(0.5))) us, p99 \(Table.micro(times.quantile(0.99))) us",
                times.quantile(0.5) < 2_000_000 && times.quantile(0.99) < 10_000_000,
                "the bars are 2000 and 10000"
            )
        )
    }
}

func note(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }

import Aerospike
import ArgumentParser
import Foundation
import NIOCore
import NIOPosix

/// Measures the client the way ../../Aerospike/README.md says, and prints one line of JSON for each measure.
@main
struct AerospikeBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "aerospike-bench")

    @Argument(help: "The node's host.")
    var host: String

    @Argument(help: "Its port.")
    var port: Int

    @Argument(help: "How long each measure lasts, such as 2s, or how many calls it makes.")
    var amount: String

    @Argument(help: "What is measured: put-one, get-one, put-64, get-64.")
    var measures = ["put-one", "get-one", "put-64", "get-64"]

    @Option(help: "Connections to the node; the client's own default if not given.")
    var connections: Int?

    @Option(help: "Threads for I/O; the client's own default if not given.")
    var loops: Int?

    @Flag(help: "Run the callers on Swift's global executor, not on the client's.")
    var pool = false

    private static let recordCount = 6400
    private static let warmUpCount = 1280

    func run() async throws {
        var configuration = AerospikeClientConfiguration(seeds: [.init(host, port: port)])
        if let connections {
            configuration.connectionsPerNode = connections
        }
        if let loops {
            configuration.eventLoopCount = loops
        }
        let own = loops.map { MultiThreadedEventLoopGroup(numberOfThreads: $0) }
        let group: any EventLoopGroup = own ?? MultiThreadedEventLoopGroup.singleton
        let client = AerospikeClient(configuration, eventLoopGroup: group)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await client.run() }
            try await client.waitUntilConnected()
            for measure in measures {
                let callers = measure.hasSuffix("-64") ? 64 : 1
                if !pool {
                    try await withTaskExecutorPreference(client.executor) {
                        try await self.measure(measure, callers, client)
                    }
                } else {
                    try await self.measure(measure, callers, client)
                }
            }
            tasks.cancelAll()
        }
        try await own?.shutdownGracefully()
    }

    private func measure(_ name: String, _ callers: Int, _ client: AerospikeClient) async throws {
        let amount = try Amount(amount)
        if name.hasPrefix("get") {
            _ = try await run(callers, .records(Self.recordCount), client, writes: true)
        }
        let writes = name.hasPrefix("put")
        _ = try await run(callers, .calls(Self.warmUpCount), client, writes: writes)
        let before = Usage()
        var times = try await run(callers, amount, client, writes: writes)
        let used = Usage().since(before)
        times.sort()
        var line = """
            {"client":"ours","measure":"\(name)","p50_us":\(Double(times[times.count / 2]) / 1000),\
            "p99_us":\(Double(times[times.count * 99 / 100]) / 1000),"calls":\(times.count),\
            "seconds":\(used.seconds),"cpu_us_per_call":\(used.cpuSeconds * 1e6 / Double(times.count))}

            """
        if let allocations = used.allocations {
            let each = Double(allocations) / Double(times.count)
            line = line.replacingOccurrences(of: "}\n", with: ",\"allocations_per_call\":\(each)}\n")
        }
        FileHandle.standardOutput.write(Data(line.utf8))
    }

    /// The times of all calls, in nanoseconds.
    private func run(
        _ callers: Int,
        _ amount: Amount,
        _ client: AerospikeClient,
        writes: Bool
    ) async throws -> [Int64] {
        try await withThrowingTaskGroup(of: [Int64].self) { group in
            for caller in 0..<callers {
                group.addTask {
                    try await Caller(client: client, first: caller, step: callers).run(amount, writes: writes)
                }
            }
            var all: [Int64] = []
            for try await times in group {
                all += times
            }
            return all
        }
    }

    /// How much is measured.
    enum Amount {
        case duration(TimeAmount)
        case calls(Int)
        case records(Int)

        init(_ text: String) throws {
            if text.hasSuffix("s"), let seconds = Double(text.dropLast()) {
                self = .duration(.nanoseconds(Int64(seconds * 1e9)))
            } else if let count = Int(text) {
                self = .calls(count)
            } else {
                throw ValidationError("AMOUNT is a time such as 2s or a number of calls, not '\(text)'.")
            }
        }
    }

    /// One caller, which takes every `step`th record.
    struct Caller: Sendable {
        var client: AerospikeClient
        var first: Int
        var step: Int

        func run(_ amount: Amount, writes: Bool) async throws -> [Int64] {
            let body = Value.bytes((0..<64).map { UInt8($0) })
            var policy = WritePolicy()
            var call = CallPolicy()
            call.timeout = .seconds(5)
            call.triesMax = 1
            policy.call = call
            var readPolicy = ReadPolicy()
            readPolicy.call = call
            var times: [Int64] = []
            var number = first
            var start = NIODeadline.now()
            let end: NIODeadline
            let countMax: Int
            switch amount {
            case .duration(let duration): (end, countMax) = (start + duration, .max)
            case .calls(let count): (end, countMax) = (.distantFuture, count / step)
            case .records(let count): (end, countMax) = (.distantFuture, (count - first + step - 1) / step)
            }
            times.reserveCapacity(min(countMax, 200_000))
            while start < end, times.count < countMax {
                let key = Key(namespace: "test", set: "bench-ours", .integer(Int64(number)))
                if writes {
                    try await client.put(key, ["b": body], policy: policy)
                } else {
                    guard try await client.get(key, policy: readPolicy)?["b"] == body else { throw ExitCode.failure }
                }
                let now = NIODeadline.now()
                times.append((now - start).nanoseconds)
                start = now
                number += step
                if number >= AerospikeBench.recordCount {
                    number = first
                }
            }
            return times
        }
    }
}

/// Time that passed, and time that this process had on processors.
struct Usage {
    var seconds: Double
    var cpuSeconds: Double
    /// How often memory was asked for; nil unless ../../Aerospike/allocations.c is loaded.
    var allocations: UInt64?

    /// The function of allocations.c, if it is loaded.
    private static let allocationCount: (@convention(c) () -> UInt64)? = {
        guard let symbol = dlsym(nil, "beanspike_allocation_count") else { return nil }
        return unsafeBitCast(symbol, to: (@convention(c) () -> UInt64).self)
    }()

    init() {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        cpuSeconds = seconds(usage.ru_utime) + seconds(usage.ru_stime)
        allocations = Self.allocationCount?()
        self.seconds = Double(NIODeadline.now().uptimeNanoseconds) / 1e9
    }

    func since(_ earlier: Usage) -> Usage {
        var used = self
        used.seconds -= earlier.seconds
        used.cpuSeconds -= earlier.cpuSeconds
        used.allocations = allocations.map { $0 - (earlier.allocations ?? 0) }
        return used
    }
}

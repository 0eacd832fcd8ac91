import BeanstalkProtocol
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What all event loops of a server count together, and what they obey together.
final class ServerCounters: Sendable {
    private struct Totals {
        var commands = CommandCounts()
        var connections: UInt64 = 0
        var connectionsTotal: UInt64 = 0
        var producers: UInt64 = 0
        var workers: UInt64 = 0
    }

    private let totals = Mutex(Totals())
    private let draining = Atomic(false)
    private let machine = MachineFacts()
    private let bodyBytesMax: Int
    private let connectionsMax: UInt64
    private let started = ContinuousClock.now

    init(bodyBytesMax: Int, connectionsMax: Int?) {
        self.bodyBytesMax = bodyBytesMax
        self.connectionsMax = connectionsMax.map { UInt64(max(0, $0)) } ?? .max
    }

    /// Whether jobs are turned away.
    var isDraining: Bool {
        get { draining.load(ordering: .relaxed) }
        set { draining.store(newValue, ordering: .relaxed) }
    }

    /// Counts a connection, unless there are too many.
    func admit() -> Bool {
        totals.withLock {
            guard $0.connections < connectionsMax else { return false }
            $0.connections += 1
            $0.connectionsTotal += 1
            return true
        }
    }

    /// Takes a connection that was admitted off again.
    func leave(isProducer: Bool, isWorker: Bool) {
        totals.withLock {
            $0.connections -= 1
            if isProducer { $0.producers -= 1 }
            if isWorker { $0.workers -= 1 }
        }
    }

    /// Adds what one batch counted.
    func add(_ counts: inout CommandCounts, newProducers: UInt64, newWorkers: UInt64) {
        totals.withLock {
            $0.commands.take(&counts)
            $0.producers += newProducers
            $0.workers += newWorkers
        }
    }

    /// What `stats` shows just now.
    func statistics() -> ServerStatistics {
        var result = ServerStatistics()
        let now = totals.withLock { $0 }
        result.commands = now.commands
        result.connections = now.connections
        result.connectionsTotal = now.connectionsTotal
        result.producers = now.producers
        result.workers = now.workers
        result.bodyBytesMax = bodyBytesMax
        result.isDraining = isDraining
        result.processID = Int64(getpid())
        result.version = BeanspikeServer.version
        result.uptimeSeconds = UInt64(max(0, (ContinuousClock.now - started).components.seconds))
        result.id = machine.runID
        result.hostname = machine.hostname
        result.os = machine.os
        result.platform = machine.platform
        (result.userMicroseconds, result.systemMicroseconds) = MachineFacts.processorTime()
        return result
    }
}

/// What the machine says of itself.
struct MachineFacts: Sendable {
    /// This run's own name: 16 hexadecimal digits.
    let runID: String
    let hostname: String
    let os: String
    let platform: String

    init() {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        runID = String(repeating: "0", count: 16 - digits.count) + digits
        var name = utsname()
        uname(&name)
        hostname = MachineFacts.text(of: name.nodename)
        os = MachineFacts.text(of: name.version)
        platform = MachineFacts.text(of: name.machine)
    }

    /// The processor time that this process used in user mode and in the kernel, in microseconds.
    static func processorTime() -> (user: UInt64, system: UInt64) {
        var usage = rusage()
        #if canImport(Darwin)
            getrusage(RUSAGE_SELF, &usage)
        #else
            getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        #endif
        func microseconds(_ time: timeval) -> UInt64 { UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_usec) }
        return (microseconds(usage.ru_utime), microseconds(usage.ru_stime))
    }

    /// The text in one of uname's fixed fields.
    private static func text<Field>(of field: Field) -> String {
        withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

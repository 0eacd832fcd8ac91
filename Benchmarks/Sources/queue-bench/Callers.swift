import BeanspikeCore
import NIOCore

/// Puts so many jobs.
final class Filler: Caller {
    private var left: Int

    init(count: Int) { left = count }

    func first() -> Request { .put(Workload.body) }

    func next(_ reply: Reply, _ bytes: [UInt8]) throws -> Request? {
        guard case .inserted = reply else { throw UnexpectedReply(reply: reply) }
        left -= 1
        return left > 0 ? .put(Workload.body) : nil
    }
}

/// Reserves and deletes until the time is over.
final class Worker: Caller {
    private let end: NIODeadline
    private(set) var jobs = 0

    init(until end: NIODeadline) { self.end = end }

    func first() -> Request { Request(command: .reserve(.none)) }

    func next(_ reply: Reply, _ bytes: [UInt8]) throws -> Request? {
        switch reply {
        case .reserved(let job): return Request(command: .delete(job.id))
        case .deleted: jobs += 1
        default: throw UnexpectedReply(reply: reply)
        }
        return NIODeadline.now() < end ? Request(command: .reserve(.none)) : nil
    }
}

/// Sends one command, and keeps the reply.
final class Once: Caller {
    private let request: Request
    private(set) var reply: Reply?

    init(_ request: Request) { self.request = request }

    func first() -> Request { request }

    func next(_ reply: Reply, _ bytes: [UInt8]) throws -> Request? {
        self.reply = reply
        return nil
    }
}

/// Waits for jobs whose bodies say when they were put, and deletes them.
final class Waiter: Caller {
    private let count: Int
    /// From before the put to the job's arrival, in nanoseconds.
    private(set) var latencies: [Int64] = []

    init(count: Int) { self.count = count }

    func first() -> Request { Request(command: .reserve(.microseconds(30_000_000))) }

    func next(_ reply: Reply, _ bytes: [UInt8]) throws -> Request? {
        switch reply {
        case .reserved(let job):
            let text = String(decoding: bytes[job.body.offset..<job.body.offset + job.body.count], as: UTF8.self)
            guard let sent = UInt64(text) else { throw UnexpectedReply(reply: reply) }
            latencies.append(Int64(NIODeadline.now().uptimeNanoseconds) - Int64(sent))
            return Request(command: .delete(job.id))
        case .deleted: return latencies.count < count ? first() : nil
        default: throw UnexpectedReply(reply: reply)
        }
    }
}

enum Workload {
    /// 64 bytes.
    static let body = [UInt8](0..<64)
}

extension Array where Element: BinaryInteger {
    /// The value that so large a part is not greater than.
    func quantile(_ part: Double) -> Element {
        let sorted = sorted()
        return sorted.isEmpty ? 0 : sorted[Swift.min(sorted.count - 1, Int(Double(sorted.count) * part))]
    }
}

extension Array where Element == Double {
    var median: Double {
        let sorted = sorted()
        guard !sorted.isEmpty else { return .nan }
        return sorted.count % 2 == 1
            ? sorted[sorted.count / 2] : (sorted[sorted.count / 2 - 1] + sorted[sorted.count / 2]) / 2
    }
}

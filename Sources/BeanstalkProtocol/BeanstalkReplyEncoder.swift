public import BeanspikeCore
public import NIOCore

/// Writes replies as beanstalkd 1.13 does (protocol.txt).
public struct BeanstalkReplyEncoder: Sendable {
    /// Where YAML is gathered, whose length is told before it.
    var yaml = ByteBuffer()

    /// An encoder; one serves any number of connections.
    public init() {}

    /// Writes one reply of a store.
    ///
    /// - Parameters:
    ///   - reply: What to write.
    ///   - bodies: ``ReplyBatch/bytes`` of the batch that it came in.
    ///   - buffer: Where to.
    ///   - server: What `stats` shows beside the store's part; asked for only then.
    @inline(__always)
    public mutating func encode(
        _ reply: borrowing Reply,
        bodies: [UInt8],
        into buffer: inout ByteBuffer,
        server: () -> ServerStatistics
    ) {
        switch copy reply {
        case .inserted(let id): buffer.writeLine("INSERTED ", id)
        case .reserved(let job): BeanstalkReplyEncoder.encode("RESERVED ", job, bodies, &buffer)
        case .deleted: buffer.writeStaticString("DELETED\r\n")
        case .found(let job): BeanstalkReplyEncoder.encode("FOUND ", job, bodies, &buffer)
        case .released: buffer.writeStaticString("RELEASED\r\n")
        case .buried: buffer.writeStaticString("BURIED\r\n")
        case .touched: buffer.writeStaticString("TOUCHED\r\n")
        case .updated: buffer.writeStaticString("UPDATED\r\n")
        case .notFound: buffer.writeStaticString("NOT_FOUND\r\n")
        case .timedOut: buffer.writeStaticString("TIMED_OUT\r\n")
        case .deadlineSoon: buffer.writeStaticString("DEADLINE_SOON\r\n")
        case .kicked(let count): buffer.writeLine("KICKED ", count)
        case .kickedJob: buffer.writeStaticString("KICKED\r\n")
        case .watching(let count): buffer.writeLine("WATCHING ", UInt64(count))
        case .notIgnored: buffer.writeStaticString("NOT_IGNORED\r\n")
        case .paused: buffer.writeStaticString("PAUSED\r\n")
        case .truncated(let count): buffer.writeLine("TRUNCATED ", count)
        case .using(let name):
            buffer.writeStaticString("USING ")
            buffer.writeString(name.description)
            buffer.writeStaticString("\r\n")
        case .jobStatistics(let statistics): encode(statistics, into: &buffer)
        case .tubeStatistics(let statistics): encode(statistics, into: &buffer)
        case .storeStatistics(let statistics): encode(statistics, server(), into: &buffer)
        case .tubes(let names): encode(names, into: &buffer)
        case .failed(let error): BeanstalkReplyEncoder.encode(error, into: &buffer)
        }
    }

    /// Writes what is settled without a store.
    public static func encode(_ outcome: LocalOutcome, into buffer: inout ByteBuffer) {
        switch outcome {
        case .badFormat: buffer.writeStaticString("BAD_FORMAT\r\n")
        case .unknownCommand: buffer.writeStaticString("UNKNOWN_COMMAND\r\n")
        case .jobTooBig: buffer.writeStaticString("JOB_TOO_BIG\r\n")
        case .expectedCRLF: buffer.writeStaticString("EXPECTED_CRLF\r\n")
        case .draining: buffer.writeStaticString("DRAINING\r\n")
        case .health(let isHead, let isDraining):
            buffer.writeStaticString(isDraining ? "HTTP/1.1 503 Service Unavailable\r\n" : "HTTP/1.1 200 OK\r\n")
            buffer.writeStaticString("Content-Type: text/plain\r\nConnection: close\r\nContent-Length: ")
            buffer.writeStaticString(isDraining ? "8\r\n\r\n" : "2\r\n\r\n")
            if !isHead { buffer.writeStaticString(isDraining ? "draining" : "ok") }
        case .quit, .flushTubeNext: break
        }
    }

    /// Writes the reply to tuberq/tuber's `flush-tube`.
    public static func encodeFlushed(_ count: UInt64, into buffer: inout ByteBuffer) {
        buffer.writeLine("FLUSHED ", count)
    }

    @inline(__always)
    private static func encode(_ word: StaticString, _ job: JobView, _ bodies: [UInt8], _ buffer: inout ByteBuffer) {
        buffer.writeLine(word, job.id, UInt64(job.body.count))
        bodies.withUnsafeBytes { bytes in
            _ = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: job.body.count + 2) { target in
                let count = job.body.count
                if count > 0 {
                    let body = bytes[job.body.offset..<(job.body.offset + count)]
                    UnsafeMutableRawBufferPointer(rebasing: target[..<count])
                        .copyMemory(from: UnsafeRawBufferPointer(rebasing: body))
                }
                target[count] = 13
                target[count + 1] = 10
                return count + 2
            }
        }
    }

    /// A store's failure in beanstalkd's words: what more room would mend is OUT_OF_MEMORY.
    private static func encode(_ error: JobStoreError, into buffer: inout ByteBuffer) {
        switch error.code {
        case .outOfSpace, .limitReached: buffer.writeStaticString("OUT_OF_MEMORY\r\n")
        default: buffer.writeStaticString("INTERNAL_ERROR\r\n")
        }
    }
}

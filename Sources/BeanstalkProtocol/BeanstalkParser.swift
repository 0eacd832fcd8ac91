#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

public import BeanspikeCore

/// Turns what a client sends into commands, byte for byte as beanstalkd 1.13 takes it.
///
/// A value with no I/O. It is given all bytes that have arrived and not been consumed, looks at them in place,
/// consumes whole commands, and remembers only what it is in the middle of. What it leaves unconsumed is bounded:
/// less than ``Limits/commandLineBytesMax`` of a line, or less than `bodyBytesMax` + 2 of a body.
///
/// Sources: protocol.txt; prot.c, `conn_process_io`, `dispatch_cmd`, `scan_line_end`, `enqueue_incoming_job`.
public struct BeanstalkParser: Sendable {
    /// What a `put` line said.
    struct PutHeader: Sendable {
        var priority: UInt32
        var delaySeconds: UInt32
        var ttrSeconds: UInt32
        var bodyBytes: Int
    }

    private enum State: Sendable {
        /// Wants a command line. → every other state
        case line
        /// Throws away a line that is too long. → line
        case restOfLine
        /// Wants a body and its CRLF. → line
        case body(PutHeader)
        /// Throws away so many bytes of a body, then says why. → line
        case unwantedBody(Int, LocalOutcome)
        /// The client quit; nothing is read any more.
        case ended
    }

    private enum Line {
        case complete(count: Int)
        case incomplete
        case tooLong
    }

    /// The largest body that is taken, in bytes (`-z`).
    public let bodyBytesMax: Int
    /// Whether HTTP's GET and HEAD are answered with the server's health (`-H`).
    public let answersHealth: Bool
    private var state = State.line

    /// A parser at the start of a connection.
    ///
    /// - Parameters:
    ///   - bodyBytesMax: The largest body that is taken, in bytes (`-z`).
    ///   - answersHealth: Whether HTTP's GET and HEAD are answered with the server's health (`-H`).
    public init(bodyBytesMax: Int = Limits.bodyBytesMaxDefault, answersHealth: Bool = false) {
        self.bodyBytesMax = bodyBytesMax
        self.answersHealth = answersHealth
    }

    /// Whether the client quit.
    public var hasEnded: Bool {
        if case .ended = state { true } else { false }
    }

    /// Parses as much as there is.
    ///
    /// - Parameters:
    ///   - bytes: Everything that arrived after what was consumed before.
    ///   - isDraining: Whether jobs are turned away.
    ///   - longRepliesMax: Stops behind the command that makes `batch.longReplies` reach this.
    ///   - batch: Where the commands go; their ranges point into `bytes`.
    /// - Returns: How many bytes are consumed.
    public mutating func parse(
        _ bytes: UnsafeRawBufferPointer,
        isDraining: Bool,
        longRepliesMax: Int = .max,
        into batch: inout ParsedCommands
    ) -> Int {
        var position = 0
        while position < bytes.count, batch.longReplies < longRepliesMax {
            switch state {
            case .line:
                switch BeanstalkParser.scanLine(bytes, from: position) {
                case .complete(let count):
                    let line = UnsafeRawBufferPointer(rebasing: bytes[position..<(position &+ count &- 2)])
                    position &+= count
                    parse(CommandLine(line), isDraining: isDraining, into: &batch)
                    // A body that is here already needs no other turn of the loop.
                    if case .body(let header) = state {
                        guard takeBody(header, bytes, isDraining, &position, &batch) else { return position }
                    }
                case .incomplete: return position
                case .tooLong:
                    position &+= Limits.commandLineBytesMax
                    state = .restOfLine
                }
            case .restOfLine:
                switch BeanstalkParser.scanLine(bytes, from: position) {
                case .complete(let count):
                    position &+= count
                    state = .line
                    batch.append(.badFormat)
                case .incomplete: return position
                case .tooLong: position &+= Limits.commandLineBytesMax
                }
            case .body(let header):
                guard takeBody(header, bytes, isDraining, &position, &batch) else { return position }
            case .unwantedBody(let count, let outcome):
                let taken = min(count, bytes.count - position)
                position += taken
                if taken == count {
                    state = .line
                    batch.append(outcome)
                } else {
                    state = .unwantedBody(count - taken, outcome)
                }
            case .ended:
                return bytes.count
            }
        }
        return position
    }

    /// Finds the line's end as beanstalkd does.
    ///
    /// The first CR within 224 bytes counts if an LF follows it. Where another byte follows, those 224 bytes are no line.
    @inline(__always)
    private static func scanLine(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Line {
        let count = min(bytes.count &- start, Limits.commandLineBytesMax)
        guard let base = bytes.baseAddress else { return .incomplete }
        let line = base + start
        if let end = memchr(line, 13, count &- 1) {
            let length = UnsafeRawPointer(end) - line
            if line.load(fromByteOffset: length &+ 1, as: UInt8.self) == 10 { return .complete(count: length &+ 2) }
        }
        return count == Limits.commandLineBytesMax ? .tooLong : .incomplete
    }

    /// Takes a body if it is complete.
    @inline(__always)
    private mutating func takeBody(
        _ header: PutHeader,
        _ bytes: UnsafeRawBufferPointer,
        _ isDraining: Bool,
        _ position: inout Int,
        _ batch: inout ParsedCommands
    ) -> Bool {
        let body = ByteRange(offset: position, count: header.bodyBytes)
        let end = position &+ header.bodyBytes
        guard bytes.count >= end &+ 2 else { return false }
        position = end &+ 2
        state = .line
        if bytes[end] != 13 || bytes[end &+ 1] != 10 {
            batch.append(.expectedCRLF)
        } else if isDraining {
            batch.append(.draining)
        } else {
            batch.bodyBytes &+= header.bodyBytes
            batch.commands.append(
                .put(
                    priority: header.priority,
                    delaySeconds: header.delaySeconds,
                    ttrSeconds: header.ttrSeconds,
                    body: body
                )
            )
        }
        return true
    }

    /// The line was a valid `put`: its body comes next.
    @inline(__always)
    mutating func expectBody(_ header: PutHeader) { state = .body(header) }

    /// The line was a `put` of a body that is not taken.
    mutating func throwAwayBody(_ count: Int, because outcome: LocalOutcome) {
        state = .unwantedBody(count + 2, outcome)
    }

    /// The line was `quit`.
    mutating func end() { state = .ended }
}

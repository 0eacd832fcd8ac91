import Glibc
import Histogram

/// One connection of the load generator: raw bytes in and out, nothing allocated per command.
///
/// Commands wait in one buffer for one write a turn. Replies are read where they lie: the name is compared as one
/// 8-byte word, the id of `RESERVED` is copied as digits into its `delete`, and the body is compared with what was put.
final class LoadConnection {
    let descriptor: Int32
    /// Keeps the descriptor open.
    private let owner: BeanstalkConnection
    private let inFlightMax: Int

    /// `put` with its body, ready to be copied.
    private let putBytes: UnsafeMutableRawBufferPointer
    /// The body and its CRLF: the end of `putBytes`.
    private let bodyAndEnd: UnsafeRawBufferPointer

    private let input: UnsafeMutableRawPointer
    private var inputStart = 0
    private var inputEnd = 0
    /// Bytes of a reserved body, CRLF included, that have not come yet.
    private var bodyBytesLeft = 0

    private let output: UnsafeMutableRawPointer
    private var outputStart = 0
    private var outputEnd = 0
    /// Bytes behind this are not to be sent yet.
    private var outputDue = 0

    /// Commands in flight, oldest first, in a ring.
    private let kinds: UnsafeMutablePointer<LoadCommand>
    /// When each turn's commands left and how many they were, oldest first, in a ring of the same size.
    private let turns: UnsafeMutablePointer<Turn>
    private let ringMask: Int
    private var kindsHead = 0
    private var kindsTail = 0
    /// Commands behind this are queued and may not be sent yet: a server cannot answer them.
    private var sentTail = 0
    private var turnsHead = 0
    private var turnsTail = 0

    private struct Turn {
        var sentAt: UInt64
        var commands: Int
    }

    private static let inputBytes = 262_144
    /// The longest command of ours but for `put`: `delete` with 20 digits.
    private static let shortCommandBytesMax = 32
    /// A reply's line may be so long.
    private static let lineBytesMax = ReplyParser.lineBytesMax

    init(over connection: BeanstalkConnection, shape: LoadShape, ttrSeconds: UInt32) {
        owner = connection
        descriptor = connection.descriptor
        inFlightMax = shape.inFlight

        let header = "put 0 0 \(ttrSeconds) \(shape.bodyBytes)\r\n"
        putBytes = .allocate(byteCount: header.utf8.count + shape.bodyBytes + 2, alignment: 16)
        putBytes.copyBytes(from: header.utf8)
        for index in 0..<shape.bodyBytes {
            putBytes[header.utf8.count + index] = UInt8(ascii: "a") + UInt8(index % 26)
        }
        putBytes[putBytes.count - 2] = UInt8(ascii: "\r")
        putBytes[putBytes.count - 1] = UInt8(ascii: "\n")
        bodyAndEnd = UnsafeRawBufferPointer(rebasing: putBytes[header.utf8.count...])

        // 16 bytes more than are ever filled, so that the 8-byte word at a line's start can always be loaded.
        input = .allocate(byteCount: Self.inputBytes + 16, alignment: 16)
        input.initializeMemory(as: UInt8.self, repeating: 0, count: Self.inputBytes + 16)
        output = .allocate(
            byteCount: shape.commandsMax * max(putBytes.count, Self.shortCommandBytesMax),
            alignment: 16
        )
        var ring = 1
        while ring <= shape.commandsMax { ring *= 2 }
        ringMask = ring - 1
        kinds = .allocate(capacity: ring)
        kinds.initialize(repeating: .put, count: ring)
        turns = .allocate(capacity: ring)
        turns.initialize(repeating: Turn(sentAt: 0, commands: 0), count: ring)
    }

    deinit {
        putBytes.deallocate()
        input.deallocate()
        output.deallocate()
        kinds.deallocate()
        turns.deallocate()
    }

    /// Commands sent, or waiting to be, that have no reply yet.
    var inFlight: Int { kindsTail &- kindsHead }
    /// Whether bytes wait for room in the socket.
    var hasOutput: Bool { outputDue > outputStart }

    /// Starts as many units as there is room for, and sends their first commands.
    func start(_ plan: LoadPlan, _ tally: inout LoadTally) throws {
        let window = plan.endsWhenEmpty ? 1 : inFlightMax
        while inFlight < window, tally.unitsLeft > 0 {
            tally.unitsLeft &-= 1
            enqueue(plan.first, digits: nil)
        }
        try sendQueued()
    }

    /// Reads what has arrived, answers it with what comes next, and sends that in one write.
    func turn(_ plan: LoadPlan, _ tally: inout LoadTally) throws {
        if inputStart == inputEnd {
            inputStart = 0
            inputEnd = 0
        } else if inputStart > 0 {
            // Less than one line is left over: bodies are taken as they come.
            memmove(input, input + inputStart, inputEnd - inputStart)
            inputEnd -= inputStart
            inputStart = 0
        }
        let count = recv(
            descriptor,
            input + inputEnd,
            Self.inputBytes - inputEnd,
            Int32(MSG_DONTWAIT)
        )
        guard count > 0 else {
            if count < 0, errno == EAGAIN || errno == EINTR { return }
            throw CommandError.failed(
                count == 0
                    ? "The server closed a connection." : "A connection broke: \(String(cString: strerror(errno)))."
            )
        }
        inputEnd += count
        try takeReplies(at: MonotonicTime.now, plan, &tally)
        // Where commands of several kinds follow each other, a whole window is answered before the next one leaves:
        // servers are known that answer in another order what changes jobs and what only reserves them.
        if plan.first == plan.last || kindsHead == sentTail { try sendQueued() }
    }

    /// Takes every whole reply in the buffer.
    private func takeReplies(at now: UInt64, _ plan: LoadPlan, _ tally: inout LoadTally) throws {
        let base = UnsafeRawPointer(input)
        var position = inputStart
        let end = inputEnd
        // Replies of one kind to commands of one turn have one latency: they are recorded together.
        var runKind = LoadCommand.put
        var runCount = 0
        var turnCommands = turns[turnsHead & ringMask].commands
        defer {
            inputStart = position
            record(runKind, runCount, now, &tally)
            turns[turnsHead & ringMask].commands = turnCommands
        }

        while true {
            if bodyBytesLeft > 0 {
                let some = min(bodyBytesLeft, end &- position)
                let done = bodyAndEnd.count &- bodyBytesLeft
                if some > 0, let expected = bodyAndEnd.baseAddress, memcmp(base + position, expected + done, some) != 0
                {
                    tally.count(error: "(a body that differs from what was put)")
                }
                position &+= some
                bodyBytesLeft &-= some
                if bodyBytesLeft > 0 { return }
            }
            guard position < end, let newline = memchr(base + position, 10, end &- position) else {
                if end - position >= Self.lineBytesMax {
                    throw CommandError.failed("The server sent a line of more than \(Self.lineBytesMax) bytes.")
                }
                return
            }
            let line = UnsafeRawBufferPointer(
                start: base + position,
                count: UnsafeRawPointer(newline) - (base + position)
            )
            guard kindsHead != sentTail else {
                throw CommandError.failed("The server sent a reply to no command: \(text(of: line))")
            }
            let kind = kinds[kindsHead & ringMask]
            kindsHead &+= 1
            if turnCommands == 0 {
                record(runKind, runCount, now, &tally)
                runCount = 0
                turnsHead &+= 1
                turnCommands = turns[turnsHead & ringMask].commands
            }
            if kind != runKind {
                record(runKind, runCount, now, &tally)
                runCount = 0
                runKind = kind
            }
            turnCommands &-= 1
            runCount &+= 1
            position &+= line.count &+ 1
            take(line, kind, plan, &tally)
        }
    }

    private func record(_ kind: LoadCommand, _ count: Int, _ now: UInt64, _ tally: inout LoadTally) {
        guard count > 0 else { return }
        tally.replies &+= count
        let latency = min(now &- turns[turnsHead & ringMask].sentAt, LoadTally.latencyMax)
        tally.latencies[Int(kind.rawValue)].record(latency, count: UInt64(count))
    }

    /// Takes one line without its newline, and queues what follows from it.
    private func take(
        _ line: UnsafeRawBufferPointer,
        _ kind: LoadCommand,
        _ plan: LoadPlan,
        _ tally: inout LoadTally
    ) {
        let word = UInt64(littleEndian: line.baseAddress?.loadUnaligned(as: UInt64.self) ?? 0)
        switch kind {
        case .put where word == Word.inserted && line.count >= 11,
            .delete where word == Word.deleted && line.count == 8:
            return proceed(after: kind, digits: nil, plan, &tally)
        case .reserve where word == Word.reserved:
            if let digits = digitsOfReserved(line) {
                bodyBytesLeft = bodyAndEnd.count
                return proceed(after: kind, digits: digits, plan, &tally)
            }
        case .reserve where word == Word.timedOut:
            tally.emptyReserves &+= 1
            if plan.endsWhenEmpty {
                tally.unitsLeft = 0
                return
            }
            if tally.emptyReserves <= Self.emptyReservesMax { return enqueue(.reserve, digits: nil) }
        default:
            break
        }
        tally.count(error: text(of: line))
        startNext(plan, &tally)
    }

    /// Reserves that may find nothing in one phase before jobs count as missing.
    private static let emptyReservesMax = 100_000

    @inline(__always)
    private func proceed(
        after kind: LoadCommand,
        digits: UnsafeRawBufferPointer?,
        _ plan: LoadPlan,
        _ tally: inout LoadTally
    ) {
        if let next = plan.command(after: kind) {
            enqueue(next, digits: digits)
            if plan.overlaps, next == plan.last { startNext(plan, &tally) }
        } else {
            tally.unitsDone &+= 1
            if !plan.overlaps { startNext(plan, &tally) }
        }
    }

    @inline(__always)
    private func startNext(_ plan: LoadPlan, _ tally: inout LoadTally) {
        guard tally.unitsLeft > 0 else { return }
        tally.unitsLeft &-= 1
        enqueue(plan.first, digits: nil)
    }

    /// The id's digits, where the rest of the line is the length that was put.
    private func digitsOfReserved(_ line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        var position = "RESERVED ".utf8.count
        let first = position
        while position < line.count, line[position] &- 0x30 <= 9 { position &+= 1 }
        guard (1...20).contains(position - first), position + 1 < line.count, line[position] == 0x20 else { return nil }
        let digits = UnsafeRawBufferPointer(rebasing: line[first..<position])
        position &+= 1
        var bytes = 0
        while position < line.count, line[position] &- 0x30 <= 9, bytes <= bodyAndEnd.count {
            bytes = bytes &* 10 &+ Int(line[position] &- 0x30)
            position &+= 1
        }
        guard position == line.count - 1, line[position] == 0x0D, bytes == bodyAndEnd.count - 2 else { return nil }
        return digits
    }

    /// Queues one command; there is always room, since no more units than the window are ever in flight.
    @inline(__always)
    private func enqueue(_ command: LoadCommand, digits: UnsafeRawBufferPointer?) {
        kinds[kindsTail & ringMask] = command
        kindsTail &+= 1
        switch command {
        case .put:
            append(UnsafeRawBufferPointer(putBytes))
        case .reserve:
            append(Bytes.reserve)
        case .delete:
            append(Bytes.delete)
            if let digits { append(digits) }
            append(Bytes.end)
        }
    }

    @inline(__always)
    private func append(_ bytes: StaticString) {
        append(UnsafeRawBufferPointer(start: bytes.utf8Start, count: bytes.utf8CodeUnitCount))
    }

    @inline(__always)
    private func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        memcpy(output + outputEnd, source, bytes.count)
        outputEnd &+= bytes.count
    }

    /// Notes when the queued commands leave, and writes.
    private func sendQueued() throws {
        let commands = kindsTail &- sentTail
        if commands > 0 {
            sentTail = kindsTail
            outputDue = outputEnd
            let tail = turnsTail & ringMask
            turns[tail] = Turn(sentAt: MonotonicTime.now, commands: commands)
            turnsTail &+= 1
        }
        try flush()
    }

    /// Writes what waits, as far as the socket takes it.
    func flush() throws {
        while outputStart < outputDue {
            let count = Glibc.send(
                descriptor,
                output + outputStart,
                outputDue - outputStart,
                Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
            )
            if count > 0 {
                outputStart += count
            } else if errno == EAGAIN {
                break
            } else if errno != EINTR {
                throw CommandError.failed("A connection broke: \(String(cString: strerror(errno))).")
            }
        }
        if outputStart > 0 {
            memmove(output, output + outputStart, outputEnd - outputStart)
            outputEnd -= outputStart
            outputDue -= outputStart
            outputStart = 0
        }
    }

    private func text(of line: UnsafeRawBufferPointer) -> String {
        let trimmed = line.last == 0x0D ? line.dropLast() : line[...]
        return String(decoding: trimmed.prefix(80), as: UTF8.self)
    }

    private enum Bytes {
        static let reserve: StaticString = "reserve-with-timeout 0\r\n"
        static let delete: StaticString = "delete "
        static let end: StaticString = "\r\n"
    }

    // The first 8 bytes of replies, as a little-endian machine loads them: INSERTED, RESERVED, DELETED with its CR,
    // TIMED_OU.
    private enum Word {
        static let inserted: UInt64 = 0x4445_5452_4553_4E49
        static let reserved: UInt64 = 0x4445_5652_4553_4552
        static let deleted: UInt64 = 0x0D44_4554_454C_4544
        static let timedOut: UInt64 = 0x554F_5F44_454D_4954
    }
}

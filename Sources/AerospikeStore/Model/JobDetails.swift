import BeanspikeCore
import NIOCore

/// Where a job's body is.
enum JobBody: Sendable, Equatable {
    /// In the entry itself.
    case inline(ByteBuffer)
    /// In records of its own.
    case separate(BodyReference)

    /// Makes a body here one of its own, which shares no memory with what it was read from.
    mutating func copy() {
        if case .inline(let bytes) = self { self = .inline(ByteBuffer(bytes: bytes.readableBytesView)) }
    }

    /// The stored size in bytes.
    var count: Int {
        switch self {
        case .inline(let bytes): bytes.readableBytes
        case .separate(let reference): reference.byteCount
        }
    }
}

/// What a job's entry says beside its state.
struct JobDetails: Sendable, Equatable {
    var priority: UInt32
    var ttrSeconds: UInt32
    /// The delay that it was last put or released with.
    var delaySeconds: UInt32
    /// When it was put, by the cluster's clock.
    var putMilliseconds: Int64
    /// Without a present reservation.
    var reserves: UInt32 = 0
    var timeouts: UInt32 = 0
    var releases: UInt32 = 0
    var buries: UInt32 = 0
    var kicks: UInt32 = 0
    var attributes: JobAttributes?
    var body: JobBody

    init(
        priority: UInt32,
        ttrSeconds: UInt32,
        delaySeconds: UInt32,
        putMilliseconds: Int64,
        attributes: JobAttributes?,
        body: JobBody
    ) {
        self.priority = priority
        self.ttrSeconds = ttrSeconds
        self.delaySeconds = delaySeconds
        self.putMilliseconds = putMilliseconds
        self.attributes = attributes
        self.body = body
    }

    /// Counts a release that is a retry, or notes that it is none.
    mutating func countRetry(_ isRetry: Bool) {
        guard isRetry || attributes?.retryFlag == true else { return }
        let old = attributes ?? JobAttributes()
        attributes = old.with(retries: old.retries &+ (isRetry ? 1 : 0), retryFlag: isRetry)
    }

    /// The body's size before compression, in bytes.
    var originalBytes: Int {
        guard let attributes, attributes.isCompressed else { return body.count }
        return Int(attributes.originalBodyBytes)
    }

    /// The body's size where compression was tried and saved nothing, otherwise 0.
    var skippedBytes: Int { attributes?.isCompressionSkipped == true ? body.count : 0 }
}

// MARK: - As bytes

extension JobDetails {
    private static let version: UInt8 = 1

    private struct Flags: OptionSet {
        let rawValue: UInt8
        static let counters = Flags(rawValue: 1)
        static let attributes = Flags(rawValue: 2)
        static let separateBody = Flags(rawValue: 4)
    }

    private var hasCounters: Bool { reserves | timeouts | releases | buries | kicks != 0 }

    /// Writes an entry's blob: a version, flags, numbers in base 128, and the body at the end.
    private func encode(into sink: inout some ByteSink) {
        var flags: Flags = []
        if hasCounters { flags.insert(.counters) }
        if attributes != nil { flags.insert(.attributes) }
        if case .separate = body { flags.insert(.separateBody) }
        sink.write(Self.version)
        sink.write(flags.rawValue)
        sink.writeBase128(UInt64(priority))
        sink.writeBase128(UInt64(ttrSeconds))
        sink.writeBase128(UInt64(delaySeconds))
        sink.writeBase128(UInt64(bitPattern: putMilliseconds))
        if hasCounters {
            sink.writeBase128(UInt64(reserves))
            sink.writeBase128(UInt64(timeouts))
            sink.writeBase128(UInt64(releases))
            sink.writeBase128(UInt64(buries))
            sink.writeBase128(UInt64(kicks))
        }
        if let attributes { sink.write(attributes) }
        switch body {
        case .inline(let bytes): sink.write(bytes)
        case .separate(let reference): sink.write(reference.encoded)
        }
    }

    /// Writes an entry's blob, which has so many bytes: ``encodedCount``.
    func encode(into buffer: inout ByteBuffer, count: Int) {
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { bytes in
            var sink = MemorySink(bytes: UnsafeMutableRawBufferPointer(rebasing: bytes[..<count]))
            encode(into: &sink)
            return sink.count
        }
    }

    /// How many bytes the blob has.
    var encodedCount: Int {
        var counter = ByteCounter()
        encode(into: &counter)
        return counter.count
    }

    /// Reads a blob; nil where this version did not write it.
    init?(_ blob: ByteBuffer) {
        var buffer = blob
        guard buffer.readInteger() == Self.version, let raw: UInt8 = buffer.readInteger(), raw < 8,
            let priority = buffer.readBase128(as: UInt32.self), let ttr = buffer.readBase128(as: UInt32.self),
            let delay = buffer.readBase128(as: UInt32.self), let put = buffer.readBase128(as: UInt64.self)
        else { return nil }
        let flags = Flags(rawValue: raw)
        var counters: [UInt32] = []
        if flags.contains(.counters) {
            for _ in 0..<5 {
                guard let counter = buffer.readBase128(as: UInt32.self) else { return nil }
                counters.append(counter)
            }
        }
        var attributes: JobAttributes?
        if flags.contains(.attributes) {
            guard let read = buffer.readAttributes() else { return nil }
            attributes = read
        }
        let body: JobBody
        if flags.contains(.separateBody) {
            guard let reference = BodyReference(buffer) else { return nil }
            body = .separate(reference)
        } else {
            body = .inline(buffer)
        }
        self.init(
            priority: priority,
            ttrSeconds: ttr,
            delaySeconds: delay,
            putMilliseconds: Int64(bitPattern: put),
            attributes: attributes,
            body: body
        )
        if flags.contains(.counters) {
            (reserves, timeouts, releases) = (counters[0], counters[1], counters[2])
            (buries, kicks) = (counters[3], counters[4])
        }
    }
}

/// Where an entry's bytes are written, or only counted.
private protocol ByteSink {
    mutating func write(_ byte: UInt8)
    mutating func write(_ bytes: ByteBuffer)
    mutating func writeAll(_ bytes: some Collection<UInt8>)
    /// Seven bits a byte, the lowest first; the top bit says that more follow.
    mutating func writeBase128(_ number: UInt64)
}

extension ByteSink {
    fileprivate mutating func writePrefixed(_ bytes: some Collection<UInt8>) {
        writeBase128(UInt64(bytes.count))
        writeAll(bytes)
    }

    fileprivate mutating func write(_ attributes: JobAttributes) {
        writePrefixed(attributes.metadata)
        writeBase128(UInt64(bitPattern: attributes.timeOfBirthMilliseconds))
        writeBase128(UInt64(attributes.retries))
        write(UInt8((attributes.retryFlag ? 1 : 0) | (attributes.isCompressionSkipped ? 2 : 0)))
        writePrefixed(attributes.buryReason.utf8)
        writeBase128(UInt64(attributes.originalBodyBytes))
    }
}

/// Counts what is written.
private struct ByteCounter: ByteSink {
    var count = 0

    mutating func write(_ byte: UInt8) { count += 1 }
    mutating func write(_ bytes: ByteBuffer) { count += bytes.readableBytes }
    mutating func writeAll(_ bytes: some Collection<UInt8>) { count += bytes.count }
    mutating func writeBase128(_ number: UInt64) { count += max(1, (64 - number.leadingZeroBitCount + 6) / 7) }
}

/// Memory that is written to, as far as there is some.
private struct MemorySink: ByteSink {
    let bytes: UnsafeMutableRawBufferPointer
    var count = 0

    mutating func write(_ byte: UInt8) {
        precondition(count < bytes.count)
        bytes[count] = byte
        count += 1
    }

    mutating func write(_ bytes: ByteBuffer) {
        bytes.withUnsafeReadableBytes { writeRaw($0) }
    }

    mutating func writeAll(_ bytes: some Collection<UInt8>) {
        if bytes.withContiguousStorageIfAvailable({ writeRaw(UnsafeRawBufferPointer($0)) }) != nil { return }
        for byte in bytes { write(byte) }
    }

    mutating func writeBase128(_ number: UInt64) {
        var number = number
        while number >= 0x80 {
            write(UInt8(truncatingIfNeeded: number) | 0x80)
            number >>= 7
        }
        write(UInt8(truncatingIfNeeded: number))
    }

    private mutating func writeRaw(_ source: UnsafeRawBufferPointer) {
        precondition(source.count <= bytes.count - count)
        UnsafeMutableRawBufferPointer(rebasing: bytes[count...]).copyMemory(from: source)
        count += source.count
    }
}

extension ByteBuffer {
    fileprivate mutating func readBase128<Number: FixedWidthInteger>(as type: Number.Type) -> Number? {
        var number: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard let byte: UInt8 = readInteger(), shift < 63 || byte < 2 else { return nil }
            number |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return Number(exactly: number) }
        }
        return nil
    }

    fileprivate mutating func readPrefixed(max: Int) -> ByteBuffer? {
        guard let count = readBase128(as: Int.self), count <= max else { return nil }
        return readSlice(length: count)
    }

    fileprivate mutating func readAttributes() -> JobAttributes? {
        guard let metadata = readPrefixed(max: Limits.metadataBytesMax), let birth = readBase128(as: UInt64.self),
            let retries = readBase128(as: UInt32.self), let flags: UInt8 = readInteger(), flags < 4,
            let reason = readPrefixed(max: Limits.buryReasonBytesMax), let original = readBase128(as: UInt32.self)
        else { return nil }
        return JobAttributes(
            metadata: Array(metadata.readableBytesView),
            timeOfBirthMilliseconds: Int64(bitPattern: birth),
            retries: retries,
            retryFlag: flags & 1 != 0,
            buryReason: String(decoding: reason.readableBytesView, as: UTF8.self),
            originalBodyBytes: original,
            isCompressionSkipped: flags & 2 != 0
        )
    }
}

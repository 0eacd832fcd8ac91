import BeanspikeCore

/// Turns bytes back into ``JournalRecord``s, many in a row: names that come again are not made again.
///
/// Any bytes may be given; what breaks a rule of the layout is nil, never a trap.
struct JournalRecordDecoder {
    /// Names seen, at a place chosen by their bytes; a name that meets another at its place takes it.
    private var names: [TubeName?] = Array(repeating: nil, count: placeCount)
    private static let placeCount = 256

    init() {}

    /// The record in these bytes, or nil where they are not exactly one record.
    mutating func decode(_ bytes: UnsafeRawBufferPointer) -> JournalRecord? {
        guard bytes.count > JournalRecord.fixedBytes else { return nil }
        let head = Self.load(UInt32.self, bytes, 0)
        let nameCount = Int(head >> 16 & 0xff)
        let nameEnd = JournalRecord.fixedBytes + nameCount
        guard let state = JobState(rawValue: UInt8(head & 0xff)), head >> 24 == 0, head >> 8 & 0xfe == 0,
            nameEnd <= bytes.count,
            let tube = name(UnsafeRawBufferPointer(rebasing: bytes[JournalRecord.fixedBytes..<nameEnd]))
        else { return nil }

        let due = Int64(bitPattern: Self.load(UInt64.self, bytes, 44))
        let burial = Self.load(UInt64.self, bytes, 52)
        guard state == .delayed || due == 0, state == .buried || burial == 0 else { return nil }

        var lifecycle = JobLifecycle(
            priority: Self.load(UInt32.self, bytes, 4),
            delaySeconds: Self.load(UInt32.self, bytes, 8),
            ttrSeconds: Self.load(UInt32.self, bytes, 12),
            now: StoreInstant(microseconds: 0)
        )
        lifecycle.state = state
        lifecycle.deadline = .never
        lifecycle.reserves = Self.load(UInt32.self, bytes, 16)
        lifecycle.timeouts = Self.load(UInt32.self, bytes, 20)
        lifecycle.releases = Self.load(UInt32.self, bytes, 24)
        lifecycle.buries = Self.load(UInt32.self, bytes, 28)
        lifecycle.kicks = Self.load(UInt32.self, bytes, 32)

        var attributes: JobAttributes?
        if head >> 8 & 1 == 1 {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[nameEnd...])
            guard let decoded = Self.attributes(rest) else { return nil }
            attributes = decoded
        } else if nameEnd != bytes.count {
            return nil
        }
        return JournalRecord(
            lifecycle: lifecycle,
            tube: tube,
            createdWallMilliseconds: Int64(bitPattern: Self.load(UInt64.self, bytes, 36)),
            dueWallMilliseconds: due,
            burialSequence: burial,
            attributes: attributes
        )
    }

    private mutating func name(_ bytes: UnsafeRawBufferPointer) -> TubeName? {
        guard !bytes.isEmpty else { return nil }
        // FNV-1a; a poor spread costs time only.
        var hash: UInt32 = 2_166_136_261
        for byte in bytes { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        let place = Int(hash >> 8) & (Self.placeCount - 1)
        if let known = names[place] {
            var text = known.description
            if text.withUTF8({ $0.elementsEqual(bytes) }) { return known }
        }
        guard let made = TubeName(utf8: bytes) else { return nil }
        names[place] = made
        return made
    }

    private static func attributes(_ bytes: UnsafeRawBufferPointer) -> JobAttributes? {
        let fixed = 8 + 4 + 1 + 4 + 4
        guard bytes.count >= fixed + 4 else { return nil }
        let flags = bytes[12]
        let metadataCount = Int(load(UInt32.self, bytes, 17))
        guard flags & ~3 == 0, metadataCount <= bytes.count - fixed - 4 else { return nil }
        let metadataEnd = fixed + metadataCount
        let reasonCount = Int(load(UInt32.self, bytes, metadataEnd))
        guard reasonCount == bytes.count - metadataEnd - 4,
            let reason = String(validating: bytes[(metadataEnd + 4)...], as: UTF8.self)
        else { return nil }
        return JobAttributes(
            metadata: Array(bytes[fixed..<metadataEnd]),
            timeOfBirthMilliseconds: Int64(bitPattern: load(UInt64.self, bytes, 0)),
            retries: load(UInt32.self, bytes, 8),
            retryFlag: flags & 1 != 0,
            buryReason: reason,
            originalBodyBytes: load(UInt32.self, bytes, 13),
            isCompressionSkipped: flags & 2 != 0
        )
    }

    /// The caller has checked the bounds; `loadUnaligned` checks them again.
    private static func load<Value: FixedWidthInteger & BitwiseCopyable>(
        _: Value.Type,
        _ bytes: UnsafeRawBufferPointer,
        _ offset: Int
    ) -> Value {
        Value(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Value.self))
    }
}

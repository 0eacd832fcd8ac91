import BeanspikeCore

extension JournalRecord {
    /// Appends the record's bytes, and says where they are.
    ///
    /// Nothing is allocated but what `bytes` has no room for.
    @discardableResult
    func encode(into bytes: inout [UInt8]) -> ByteRange {
        let start = bytes.count
        var name = tube.description
        name.withUTF8 { name in
            let due = lifecycle.state == .delayed ? UInt64(bitPattern: dueWallMilliseconds) : 0
            let created = UInt64(bitPattern: createdWallMilliseconds)
            let burial = lifecycle.state == .buried ? burialSequence : 0
            let flags: UInt32 = attributes == nil ? 0 : 1
            // A tube's name is at most 200 bytes (`Limits.tubeNameBytesMax`).
            var words = (
                (UInt32(lifecycle.state.rawValue) | flags << 8 | UInt32(name.count) << 16).littleEndian,
                lifecycle.priority.littleEndian, lifecycle.delaySeconds.littleEndian,
                lifecycle.ttrSeconds.littleEndian, lifecycle.reserves.littleEndian, lifecycle.timeouts.littleEndian,
                lifecycle.releases.littleEndian, lifecycle.buries.littleEndian, lifecycle.kicks.littleEndian,
                UInt32(truncatingIfNeeded: created).littleEndian, UInt32(created >> 32).littleEndian,
                UInt32(truncatingIfNeeded: due).littleEndian, UInt32(due >> 32).littleEndian,
                UInt32(truncatingIfNeeded: burial).littleEndian, UInt32(burial >> 32).littleEndian
            )
            withUnsafeBytes(of: &words) { bytes.append(contentsOf: $0) }
            bytes.append(contentsOf: UnsafeRawBufferPointer(name))
        }
        if let attributes { Self.encode(attributes, into: &bytes) }
        return ByteRange(offset: start, count: bytes.count - start)
    }

    private static func encode(_ attributes: JobAttributes, into bytes: inout [UInt8]) {
        append(UInt64(bitPattern: attributes.timeOfBirthMilliseconds), to: &bytes)
        append(attributes.retries, to: &bytes)
        bytes.append((attributes.retryFlag ? 1 : 0) | (attributes.isCompressionSkipped ? 2 : 0))
        append(attributes.originalBodyBytes, to: &bytes)
        append(UInt32(attributes.metadata.count), to: &bytes)
        bytes.append(contentsOf: attributes.metadata)
        append(UInt32(attributes.buryReason.utf8.count), to: &bytes)
        bytes.append(contentsOf: attributes.buryReason.utf8)
    }

    private static func append(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }
}

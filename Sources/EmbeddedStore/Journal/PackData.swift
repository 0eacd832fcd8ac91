import BeanspikeCore

/// The bytes of several jobs in one row (`docs/journal-format.md`, "A pack").
struct PackData {
    /// What comes before the first job: the checksum.
    private static let headBytes = 8
    /// What comes before each job: the lengths of its record and its body.
    private static let jobHeadBytes = 4

    /// One job's places in the row.
    struct Job {
        /// What its id is above the pack's first.
        var offset: UInt64
        var record: Range<Int>
        var body: Range<Int>
    }

    /// Bytes that a job takes.
    static func bytes(record: Int, body: Int) -> Int { jobHeadBytes + record + body }

    /// Empties `pack` for the first job.
    static func begin(_ pack: inout [UInt8]) {
        pack.removeAll(keepingCapacity: true)
        withUnsafeBytes(of: UInt64(0)) { pack.append(contentsOf: $0) }
    }

    /// Appends a job, whose record and body are at most ``PackLimits/jobBytesMax`` together.
    ///
    /// - Parameters:
    ///   - record: nil where it is the record of the job before, as with jobs of one tube and one millisecond.
    ///   - body: The job's body.
    ///   - pack: What has the jobs before.
    static func append(record: UnsafeRawBufferPointer?, body: UnsafeRawBufferPointer, to pack: inout [UInt8]) {
        let head = (UInt32(record?.count ?? 0) | UInt32(body.count) << 16).littleEndian
        withUnsafeBytes(of: head) { pack.append(contentsOf: $0) }
        if let record { pack.append(contentsOf: record) }
        pack.append(contentsOf: body)
    }

    /// Writes the checksum, after the last job.
    static func end(_ pack: inout [UInt8]) {
        pack.withUnsafeMutableBytes { bytes in
            let sum = checksum(UnsafeRawBufferPointer(rebasing: bytes[headBytes...]))
            bytes.storeBytes(of: sum.littleEndian, as: UInt64.self)
        }
    }

    /// Finds the jobs of a pack, one for each bit of `members`; false where the bytes are not exactly those.
    ///
    /// Any bytes may be given.
    static func parse(_ bytes: UnsafeRawBufferPointer, members: UInt64, into jobs: inout [Job]) -> Bool {
        jobs.removeAll(keepingCapacity: true)
        guard bytes.count >= headBytes else { return false }
        let sum = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard sum == checksum(UnsafeRawBufferPointer(rebasing: bytes[headBytes...])) else { return false }
        var at = headBytes
        var rest = members
        while rest != 0 {
            guard bytes.count - at >= jobHeadBytes else { return false }
            let head = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self))
            let recordEnd = at + jobHeadBytes + Int(head & 0xffff)
            let bodyEnd = recordEnd + Int(head >> 16)
            guard bodyEnd <= bytes.count else { return false }
            var record = at + jobHeadBytes..<recordEnd
            if record.isEmpty {
                guard let before = jobs.last else { return false }
                record = before.record
            }
            jobs.append(Job(offset: UInt64(rest.trailingZeroBitCount), record: record, body: recordEnd..<bodyEnd))
            at = bodyEnd
            rest &= rest - 1
        }
        return at == bytes.count
    }

    /// Finds damage, not malice: words of eight bytes, little-endian, the last one filled up with zeros.
    static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var sum = UInt64(bytes.count)
        var at = 0
        while bytes.count - at >= 8 {
            mix(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)), into: &sum)
            at += 8
        }
        guard at < bytes.count else { return sum }
        var last: UInt64 = 0
        for index in at..<bytes.count { last |= UInt64(bytes[index]) << UInt64(8 * (index - at)) }
        mix(last, into: &sum)
        return sum
    }

    @inline(__always)
    private static func mix(_ word: UInt64, into sum: inout UInt64) {
        sum = (sum ^ word) &* 0x9e37_79b9_7f4a_7c15
        sum ^= sum >> 32
    }
}

import NIOCore

/// Bits as they are counted in a blob: from the left, the highest bit of each byte first.
struct BitRange: Equatable {
    /// The bits, from the first byte's highest on; those after the last are zero.
    private(set) var bytes: [UInt8]
    /// How many they are.
    let count: Int

    /// The bits of a blob from one on.
    init(of blob: some RandomAccessCollection<UInt8>, at offset: Int, count: Int) {
        self.count = count
        let shift = offset % 8
        let rest = blob.dropFirst(offset / 8)
        var bytes = Array(rest.prefix((count + 7) / 8))
        if shift > 0 {
            let next = rest.dropFirst()
            for (index, byte) in zip(bytes.indices, rest) {
                let following = next.dropFirst(index).first ?? 0
                bytes[index] = byte << shift | following >> (8 - shift)
            }
        }
        self.bytes = bytes
        clearRest()
    }

    private init(bytes: [UInt8], count: Int) {
        self.bytes = bytes
        self.count = count
        clearRest()
    }

    /// The bits that are a number's lowest.
    init(_ number: UInt64, count: Int) {
        self.init(
            bytes: withUnsafeBytes(of: (number << (64 - UInt64(count))).bigEndian) {
                Array($0.prefix((count + 7) / 8))
            },
            count: count
        )
    }

    private mutating func clearRest() {
        if count % 8 != 0, !bytes.isEmpty {
            bytes[bytes.count - 1] &= 0xff << (8 - count % 8)
        }
    }

    // MARK: What they are

    /// The number that they are, at most 64 of them.
    var integer: UInt64 {
        let aligned = bytes.prefix(8).enumerated().reduce(UInt64(0)) { $0 | UInt64($1.element) << (56 - 8 * $1.offset) }
        return count == 0 ? 0 : aligned >> (64 - UInt64(count))
    }

    /// How many are set.
    var nonzeroBitCount: Int {
        bytes.reduce(0) { $0 + $1.nonzeroBitCount }
    }

    /// The first that is set or not.
    func firstIndex(of bit: Bool) -> Int? {
        let skipped: UInt8 = bit ? 0 : 0xff
        guard let index = bytes.firstIndex(where: { $0 != skipped }) else { return nil }
        let found = index * 8 + (bytes[index] ^ skipped).leadingZeroBitCount
        return found < count ? found : nil
    }

    /// The last that is set or not.
    func lastIndex(of bit: Bool) -> Int? {
        let skipped: UInt8 = bit ? 0 : 0xff
        var bytes = bytes
        if !bit, count % 8 != 0, !bytes.isEmpty {
            // What is after the last is to be no bit that is not set.
            bytes[bytes.count - 1] |= 0xff >> (count % 8)
        }
        guard let index = bytes.lastIndex(where: { $0 != skipped }) else { return nil }
        return index * 8 + 7 - (bytes[index] ^ skipped).trailingZeroBitCount
    }

    // MARK: What becomes of them

    /// Every one turned over.
    var inverted: BitRange {
        BitRange(bytes: bytes.map { ~$0 }, count: count)
    }

    /// Each combined with another's.
    func combined(with other: BitRange, by combine: (UInt8, UInt8) -> UInt8) -> BitRange {
        BitRange(bytes: zip(bytes, other.bytes).map(combine), count: count)
    }

    func shiftedLeft(by distance: Int) -> BitRange {
        guard distance < count else { return BitRange(bytes: bytes.map { _ in 0 }, count: count) }
        let kept = BitRange(of: bytes, at: distance, count: count - distance).bytes
        return BitRange(bytes: kept + [UInt8](repeating: 0, count: bytes.count - kept.count), count: count)
    }

    func shiftedRight(by distance: Int) -> BitRange {
        guard distance < count else { return BitRange(bytes: bytes.map { _ in 0 }, count: count) }
        var blob = [UInt8](repeating: 0, count: bytes.count)
        BitRange(of: bytes, at: 0, count: count - distance).write(to: &blob, at: distance)
        return BitRange(bytes: blob, count: count)
    }

    /// Puts them in the place of a blob's from one on.
    func write(to blob: inout [UInt8], at offset: Int) {
        guard count > 0 else { return }
        let shift = offset % 8
        let first = offset / 8
        let last = (offset + count - 1) / 8
        for index in first...last {
            let position = index - first
            let own = position < bytes.count ? bytes[position] >> shift : 0
            let carried = shift > 0 && position > 0 ? bytes[position - 1] << (8 - shift) : 0
            var mask: UInt8 = 0xff
            if index == first {
                mask &= 0xff >> shift
            }
            if index == last {
                mask &= 0xff << (7 - (offset + count - 1) % 8)
            }
            blob[index] = blob[index] & ~mask | (own | carried) & mask
        }
    }
}

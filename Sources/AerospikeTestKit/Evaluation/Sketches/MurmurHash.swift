/// MurmurHash3 for processors of 64 bits, in its form of 128 bits with the seed 0.
enum MurmurHash {
    private static let first: UInt64 = 0x87c3_7b91_1142_53d5
    private static let second: UInt64 = 0x4cf5_ad43_2745_937f

    /// The two halves of the hash.
    static func hash(_ bytes: [UInt8]) -> (UInt64, UInt64) {
        var (low, high): (UInt64, UInt64) = (0, 0)
        let blockEnd = bytes.count / 16 * 16
        for start in stride(from: 0, to: blockEnd, by: 16) {
            low ^= mixFirst(word(bytes, start, start + 8))
            low = low.rotatedLeft(27) &+ high
            low = low &* 5 &+ 0x52dc_e729
            high ^= mixSecond(word(bytes, start + 8, start + 16))
            high = high.rotatedLeft(31) &+ low
            high = high &* 5 &+ 0x3849_5ab5
        }
        // Of nothing, either of these is nothing.
        high ^= mixSecond(word(bytes, min(blockEnd + 8, bytes.count), bytes.count))
        low ^= mixFirst(word(bytes, blockEnd, min(blockEnd + 8, bytes.count)))
        low ^= UInt64(bytes.count)
        high ^= UInt64(bytes.count)
        low &+= high
        high &+= low
        low = finish(low)
        high = finish(high)
        low &+= high
        high &+= low
        return (low, high)
    }

    /// Up to 8 bytes, the first of them lowest.
    private static func word(_ bytes: [UInt8], _ start: Int, _ end: Int) -> UInt64 {
        bytes[start..<end].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func mixFirst(_ word: UInt64) -> UInt64 {
        (word &* first).rotatedLeft(31) &* second
    }

    private static func mixSecond(_ word: UInt64) -> UInt64 {
        (word &* second).rotatedLeft(33) &* first
    }

    private static func finish(_ word: UInt64) -> UInt64 {
        var word = word
        word ^= word >> 33
        word &*= 0xff51_afd7_ed55_8ccd
        word ^= word >> 33
        word &*= 0xc4ce_b9fe_1a85_ec53
        word ^= word >> 33
        return word
    }
}

extension UInt64 {
    fileprivate func rotatedLeft(_ count: UInt64) -> UInt64 {
        self << count | self >> (64 - count)
    }
}

/// The cipher Blowfish, as far as ``Bcrypt`` needs it (Schneier, "Description of a New Variable-Length Key, 64-Bit Block
/// Cipher", 1993).
struct Blowfish {
    /// 18 round keys, then four boxes of 256 words.
    private var words = initialWords

    private static let roundKeyCount = 18

    /// Mixes a key into the round keys, and replaces all words by what a salt enciphers to.
    ///
    /// - Parameters:
    ///   - key: the key, whose bytes are used around and around; not empty.
    ///   - salt: four words that are added to what is enciphered, in turn; nil stands for zeros.
    mutating func expand(key: [UInt8], salt: [UInt32]? = nil) {
        precondition(!key.isEmpty && salt?.count ?? 4 == 4, "A key has a byte at least, and a salt four words.")
        words.withUnsafeMutableBufferPointer { words in
            var keyIndex = 0
            for index in 0..<Self.roundKeyCount {
                var word: UInt32 = 0
                for _ in 0..<4 {
                    word = word << 8 | UInt32(key[keyIndex])
                    keyIndex = keyIndex + 1 == key.count ? 0 : keyIndex + 1
                }
                words[index] ^= word
            }
            var block: (left: UInt32, right: UInt32) = (0, 0)
            var index = 0
            while index < words.count {
                if let salt {
                    block.left ^= salt[index & 2]
                    block.right ^= salt[index & 2 | 1]
                }
                block = Self.encipher(block, UnsafeBufferPointer(words))
                words[index] = block.left
                words[index + 1] = block.right
                index += 2
            }
        }
    }

    /// Enciphers one block.
    func encipher(_ block: (left: UInt32, right: UInt32)) -> (left: UInt32, right: UInt32) {
        words.withUnsafeBufferPointer { Self.encipher(block, $0) }
    }

    @inline(__always)
    private static func encipher(
        _ block: (left: UInt32, right: UInt32),
        _ words: UnsafeBufferPointer<UInt32>
    ) -> (left: UInt32, right: UInt32) {
        var left = block.left
        var right = block.right
        var round = 0
        while round < 16 {
            left ^= words[round]
            // Each byte chooses a word of its box.
            let first = words[18 &+ Int(left >> 24)] &+ words[274 &+ Int(left >> 16 & 0xff)]
            let mixed = (first ^ words[530 &+ Int(left >> 8 & 0xff)]) &+ words[786 &+ Int(left & 0xff)]
            right ^= mixed
            (left, right) = (right, left)
            round &+= 1
        }
        return (right ^ words[17], left ^ words[16])
    }
}

import NIOCore

/// The vectors that another client made: a line is words apart by spaces, the first of them a name.
enum GoldenVectors {
    static func lines(_ resource: [UInt8]) -> [[String]] {
        String(decoding: resource, as: UTF8.self).split(separator: "\n").map { line in
            line.split(separator: " ").map(String.init)
        }
    }

    /// Names and bytes, for resources whose lines are these two words.
    static func named(_ resource: [UInt8]) -> [String: String] {
        Dictionary(lines(resource).map { ($0[0], $0[1]) }, uniquingKeysWith: { first, _ in first })
    }
}

extension Sequence<UInt8> {
    var hex: String {
        map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
}

extension ByteBuffer {
    var hex: String { readableBytesView.hex }

    init(hex: String) {
        self.init(bytes: [UInt8](hex: hex))
    }
}

extension [UInt8] {
    init(hex: String) {
        let digits = Array<Character>(hex)
        self = stride(from: 0, to: digits.count - 1, by: 2).compactMap { UInt8(String(digits[$0...$0 + 1]), radix: 16) }
    }
}

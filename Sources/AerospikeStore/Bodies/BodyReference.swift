package import NIOCore

/// Where a long body is: the name of its records, its length and that of its pieces.
package struct BodyReference: Sendable, Hashable {
    /// A random number of 128 bits, which names the records.
    let high: UInt64
    let low: UInt64
    /// The body's length in bytes.
    package let byteCount: Int
    /// The length of each piece but the last, in bytes.
    let pieceBytes: Int

    /// How long a reference is when it is written.
    package static let encodedBytes = 24

    init(high: UInt64, low: UInt64, byteCount: Int, pieceBytes: Int) {
        self.high = high
        self.low = low
        self.byteCount = byteCount
        self.pieceBytes = pieceBytes
    }

    /// A reference from its bytes; nil if they are none.
    package init?(_ bytes: ByteBuffer) {
        var bytes = bytes
        guard bytes.readableBytes == Self.encodedBytes,
            let (high, low, byteCount, pieceBytes) = bytes.readMultipleIntegers(
                as: (UInt64, UInt64, UInt32, UInt32).self
            ),
            pieceBytes > 0, byteCount <= StoreLimits.bodyBytesMax
        else { return nil }
        self.init(high: high, low: low, byteCount: Int(byteCount), pieceBytes: Int(pieceBytes))
    }

    /// The reference as bytes.
    package var encoded: ByteBuffer {
        var bytes = ByteBuffer()
        bytes.writeMultipleIntegers(high, low, UInt32(clamping: byteCount), UInt32(clamping: pieceBytes))
        return bytes
    }

    /// How many records the body takes; an empty one takes none.
    package var pieceCount: Int { byteCount / pieceBytes + (byteCount % pieceBytes == 0 ? 0 : 1) }

    /// Which bytes of the body a piece has.
    func range(ofPiece piece: Int) -> Range<Int> {
        piece * pieceBytes..<min(byteCount, (piece + 1) * pieceBytes)
    }

    /// What a piece's record is called: both numbers in hexadecimal and the piece's own.
    func name(ofPiece piece: Int) -> String {
        "\(String(high, radix: 16)).\(String(low, radix: 16))/\(piece)"
    }
}

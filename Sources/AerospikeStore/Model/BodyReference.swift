import NIOCore

/// placeholder until the bodies' room is merged
struct BodyReference: Sendable, Hashable {
    var byteCount: Int
    init(byteCount: Int) { self.byteCount = byteCount }
    var encoded: ByteBuffer { ByteBuffer(integer: byteCount) }
    init?(_ buffer: ByteBuffer) {
        var buffer = buffer
        guard let n: Int = buffer.readInteger() else { return nil }
        byteCount = n
    }
}

public import NIOCore

// MARK: Bits of a blob

extension Exp where Output == ByteBuffer {
    private var place: ExpPlace { ExpPlace(packed: packed) }

    /// The bits of a range, as a blob.
    public func bits(at offset: some ExpConvertible<Int>, count: some ExpConvertible<Int>) -> Exp {
        place.read(call(50, offset, count), system: .bits)
    }

    /// How many bits of a range are set.
    public func nonzeroBitCount(at offset: some ExpConvertible<Int>, count: some ExpConvertible<Int>) -> Exp<Int> {
        place.read(call(51, offset, count), system: .bits)
    }

    /// The first bit of a range that is set, or with false is not; -1 if there is none.
    public func firstIndex(
        of bit: some ExpConvertible<Bool>,
        at offset: some ExpConvertible<Int>,
        count: some ExpConvertible<Int>
    ) -> Exp<Int> {
        var call = call(52, offset, count)
        call.add(expression: bit)
        return place.read(call, system: .bits)
    }

    /// The last bit of a range that is set, or with false is not; -1 if there is none.
    public func lastIndex(
        of bit: some ExpConvertible<Bool>,
        at offset: some ExpConvertible<Int>,
        count: some ExpConvertible<Int>
    ) -> Exp<Int> {
        var call = call(53, offset, count)
        call.add(expression: bit)
        return place.read(call, system: .bits)
    }

    /// The number that the bits of a range are.
    public func integer(
        at offset: some ExpConvertible<Int>,
        count: some ExpConvertible<Int>,
        signed: Bool = false
    ) -> Exp<Int> {
        var call = call(54, offset, count)
        call.add(signed ? 1 : 0)
        return place.read(call, system: .bits)
    }

    private func call(
        _ code: UInt8,
        _ offset: some ExpConvertible<Int>,
        _ count: some ExpConvertible<Int>
    ) -> CollectionCall {
        var call = CollectionCall(code)
        call.add(expression: offset)
        call.add(expression: count)
        return call
    }
}

extension ByteBuffer: ExpConvertible {
    /// A blob.
    public typealias ExpOutput = ByteBuffer

    /// The value as it is sent.
    public var packedExp: [UInt8] { Value.blob(self).packedExp }
}

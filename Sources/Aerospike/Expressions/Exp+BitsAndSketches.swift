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

    /// The blob with the bits of a range made a number.
    public func settingInteger(
        _ value: some ExpConvertible<Int>,
        at offset: some ExpConvertible<Int>,
        count: some ExpConvertible<Int>,
        flags: BitWriteFlags = []
    ) -> Exp {
        var call = call(12, offset, count)
        call.add(expression: value)
        call.add(unsigned: UInt64(flags.rawValue))
        return place.modify(call, system: .bits)
    }

    /// The blob with other bits in the place of a range's.
    public func settingBits(
        _ bits: some ExpConvertible<ByteBuffer>,
        at offset: some ExpConvertible<Int>,
        count: some ExpConvertible<Int>,
        flags: BitWriteFlags = []
    ) -> Exp {
        var call = call(3, offset, count)
        call.add(expression: bits)
        call.add(unsigned: UInt64(flags.rawValue))
        return place.modify(call, system: .bits)
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

// MARK: HyperLogLog sketches

extension Exp where Output == HyperLogLog {
    private var place: ExpPlace { ExpPlace(packed: packed) }

    /// The estimate of how many different values the sketch was given.
    public func count() -> Exp<Int> {
        place.read(CollectionCall(50), system: .hyperLogLog)
    }

    /// The sketch of all values that it or others were given.
    public func union(_ sketches: Exp<Value.List>) -> Exp {
        place.read(call(51, sketches), system: .hyperLogLog)
    }

    /// The estimate of how many different values it or others were given.
    public func unionCount(_ sketches: Exp<Value.List>) -> Exp<Int> {
        place.read(call(52, sketches), system: .hyperLogLog)
    }

    /// The estimate of how many values it and the others were all given.
    public func intersectCount(_ sketches: Exp<Value.List>) -> Exp<Int> {
        place.read(call(53, sketches), system: .hyperLogLog)
    }

    /// The estimate of how alike it and the others are, from 0 to 1.
    public func similarity(_ sketches: Exp<Value.List>) -> Exp<Double> {
        place.read(call(54, sketches), system: .hyperLogLog)
    }

    /// The bits of index and of minimal hash, as a list.
    public func describe() -> Exp<Value.List> {
        place.read(CollectionCall(55), system: .hyperLogLog)
    }

    /// 1 if the sketch may have been given all of some values, 0 if it surely was not.
    public func mayContain(_ values: Exp<Value.List>) -> Exp<Int> {
        place.read(call(56, values), system: .hyperLogLog)
    }

    /// The sketch with some values more.
    ///
    /// - Parameters:
    ///   - values: the values.
    ///   - indexBits: 4 to 16; nil for those that the sketch has.
    ///   - minHashBits: 4 to 51, or 0 for none; nil for those that the sketch has.
    ///   - flags: what the operation may and may not do.
    /// - Returns: the sketch.
    public func adding(
        _ values: Exp<Value.List>,
        indexBits: Int? = nil,
        minHashBits: Int? = nil,
        flags: HyperLogLogWriteFlags = []
    ) -> Exp {
        var call = call(1, values)
        call.add(indexBits ?? -1)
        call.add(minHashBits ?? -1)
        call.add(unsigned: UInt64(flags.rawValue))
        return place.modify(call, system: .hyperLogLog)
    }

    private func call(_ code: UInt8, _ argument: Exp<Value.List>) -> CollectionCall {
        var call = CollectionCall(code)
        call.add(expression: argument)
        return call
    }
}

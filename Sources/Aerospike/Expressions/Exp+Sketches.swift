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

    /// The sketch emptied, or a new one if it is called on ``Exp/null``.
    ///
    /// - Parameters:
    ///   - indexBits: 4 to 16; nil for those that the sketch has.
    ///   - minHashBits: 4 to 51, or 0 for none; nil for those that the sketch has.
    ///   - flags: what the operation may and may not do.
    /// - Returns: the sketch.
    public func created(
        indexBits: Int?,
        minHashBits: Int? = nil,
        flags: HyperLogLogWriteFlags = []
    ) -> Exp {
        var call = CollectionCall(0)
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

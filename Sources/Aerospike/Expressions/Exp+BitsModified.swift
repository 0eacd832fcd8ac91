public import NIOCore

// What modifies changes nothing in the record: it answers the whole blob, modified.
extension Exp where Output == ByteBuffer {
    /// The blob made so many bytes long.
    public func resized(
        to byteCount: some ExpConvertible<Int>,
        _ resize: BitResizeFlags = [],
        flags: BitWriteFlags = []
    ) -> Exp {
        modified(0, byteCount.packedExp, flags: flags, options: UInt64(resize.rawValue))
    }

    /// The blob with bytes inserted before the one at an offset in bytes.
    public func inserting(
        _ bytes: some ExpConvertible<ByteBuffer>,
        atByte offset: some ExpConvertible<Int>,
        flags: BitWriteFlags = []
    ) -> Exp {
        modified(1, offset.packedExp, bytes.packedExp, flags: flags)
    }

    /// The blob without some bytes from an offset in bytes on.
    public func removing(
        fromByte offset: some ExpConvertible<Int>,
        byteCount: some ExpConvertible<Int>,
        flags: BitWriteFlags = []
    ) -> Exp {
        modified(2, offset.packedExp, byteCount.packedExp, flags: flags)
    }

    /// The blob with other bits in the place of a range's.
    public func settingBits(
        _ bits: some ExpConvertible<ByteBuffer>,
        at offset: some ExpConvertible<Int>,
        count: some ExpConvertible<Int>,
        flags: BitWriteFlags = []
    ) -> Exp {
        modified(3, offset.packedExp, count.packedExp, bits.packedExp, flags: flags)
    }

    /// The blob with the bits of a range combined with others by OR.
    public func formingOr(
        _ bits: some ExpConvertible<ByteBuffer>,
        at offset: some ExpConvertible<Int>,
        count: some ExpConvertible<Int>,
        flags: BitWriteFlags = []
    ) -> Exp {
        modified(4, offset.packedExp, count.packedExp, bits.packedExp, flags: flags)
    }

    /// The blob with the bits of a range combined with others by exclusive OR.
    public func formingXor(
        _ bits: some ExpConvertible<ByteBuffer>,
        at offset: some ExpConvertible<Int>,
        count: some ExpConvertible<Int>,
        flags: BitWriteFlags = []
    ) -> Exp {
        modified(5, offset.packedExp, count.packedExp, bits.packedExp, flags: flags)
    }

    /// The blob with the bits of a range combined with others by AND.
    public func formingAnd(
        _ bits: some ExpConvertible<ByteBuffer>,
        at offset: some ExpConvertible<Int>,
        count: some ExpConvertible<Int>,
        flags: BitWriteFlags = []
    ) -> Exp {
        modified(6, offset.packedExp, count.packedExp, bits.packedExp, flags: flags)
    }

    /// The blob with every bit of a range turned over.
    public func inverting(
        at offset: some ExpConvertible<Int>,
        count: some ExpConvertible<Int>,
        flags: BitWriteFlags = []
    ) -> Exp {
        modified(7, offset.packedExp, count.packedExp, flags: flags)
    }

    /// The blob with the bits of a range shifted to the left.
    public func shiftingLeft(
        at offset: some ExpConvertible<Int>,
        count: some ExpConvertible<Int>,
        by shift: some ExpConvertible<Int>,
        flags: BitWriteFlags = []
    ) -> Exp {
        modified(8, offset.packedExp, count.packedExp, shift.packedExp, flags: flags)
    }

    /// The blob with the bits of a range shifted to the right.
    public func shiftingRight(
        at offset: some ExpConvertible<Int>,
        count: some ExpConvertible<Int>,
        by shift: some ExpConvertible<Int>,
        flags: BitWriteFlags = []
    ) -> Exp {
        modified(9, offset.packedExp, count.packedExp, shift.packedExp, flags: flags)
    }

    /// The blob with more added to the number that the bits of a range are.
    ///
    /// - Parameters:
    ///   - amount: how much.
    ///   - offset: the first bit; one below zero counts from the end.
    ///   - count: how many bits, at most 64.
    ///   - signed: whether the number has a sign.
    ///   - overflow: what happens to a result that does not fit.
    ///   - flags: what the operation may and may not do.
    /// - Returns: the blob.
    public func adding(
        _ amount: some ExpConvertible<Int>,
        at offset: some ExpConvertible<Int>,
        count: some ExpConvertible<Int>,
        signed: Bool = false,
        overflow: BitOverflow = .fail,
        flags: BitWriteFlags = []
    ) -> Exp {
        let options = UInt64(overflow.rawValue | (signed ? 1 : 0))
        return modified(
            10,
            offset.packedExp,
            count.packedExp,
            amount.packedExp,
            flags: flags,
            options: options
        )
    }

    /// The blob with some subtracted from the number that the bits of a range are.
    ///
    /// - Parameters:
    ///   - amount: how much.
    ///   - offset: the first bit; one below zero counts from the end.
    ///   - count: how many bits, at most 64.
    ///   - signed: whether the number has a sign.
    ///   - overflow: what happens to a result that does not fit.
    ///   - flags: what the operation may and may not do.
    /// - Returns: the blob.
    public func subtracting(
        _ amount: some ExpConvertible<Int>,
        at offset: some ExpConvertible<Int>,
        count: some ExpConvertible<Int>,
        signed: Bool = false,
        overflow: BitOverflow = .fail,
        flags: BitWriteFlags = []
    ) -> Exp {
        let options = UInt64(overflow.rawValue | (signed ? 1 : 0))
        return modified(
            11,
            offset.packedExp,
            count.packedExp,
            amount.packedExp,
            flags: flags,
            options: options
        )
    }

    /// The blob with the bits of a range made a number.
    public func settingInteger(
        _ value: some ExpConvertible<Int>,
        at offset: some ExpConvertible<Int>,
        count: some ExpConvertible<Int>,
        flags: BitWriteFlags = []
    ) -> Exp {
        modified(12, offset.packedExp, count.packedExp, value.packedExp, flags: flags)
    }

    private func modified(
        _ code: UInt8,
        _ arguments: [UInt8]...,
        flags: BitWriteFlags,
        options: UInt64? = nil
    ) -> Exp {
        var call = CollectionCall(code)
        arguments.forEach { call.add(packed: $0) }
        call.add(unsigned: UInt64(flags.rawValue))
        if let options {
            call.add(unsigned: options)
        }
        return ExpPlace(packed: packed).modify(call, system: .bits)
    }
}

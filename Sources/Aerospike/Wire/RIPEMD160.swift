/// The hash function RIPEMD-160 (Dobbertin, Bosselaers and Preneel, 1996).
///
/// Aerospike names records by it: a record's digest is the hash of its set and its key
/// (aerospike-common, src/main/citrusleaf/cf_digest.c). It is computed once a call, so it allocates nothing for
/// keys that a person would choose.
package enum RIPEMD160 {
    /// The length of a hash, in bytes.
    package static let byteCount = 20

    /// The five words of state, in the order in which they leave as little-endian bytes.
    package typealias State = (UInt32, UInt32, UInt32, UInt32, UInt32)

    /// The hash of a message that `fill` writes.
    ///
    /// - Parameters:
    ///   - byteCount: the length of the message, in bytes.
    ///   - fill: writes exactly `byteCount` bytes at the start of the buffer that it is given.
    /// - Returns: the five words of the hash.
    package static func hash(byteCount: Int, fill: (UnsafeMutableRawBufferPointer) -> Void) -> State {
        // One bit of padding and the length (9 bytes) follow the message, and the whole fills blocks of 64.
        let paddedCount = (byteCount + 9 + 63) & ~63
        return withUnsafeTemporaryAllocation(byteCount: paddedCount, alignment: 8) { block in
            block.initializeMemory(as: UInt8.self, repeating: 0)
            fill(UnsafeMutableRawBufferPointer(rebasing: block[..<byteCount]))
            block[byteCount] = 0x80
            block.storeBytes(of: (UInt64(byteCount) &* 8).littleEndian, toByteOffset: paddedCount - 8, as: UInt64.self)
            var state: State = (0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0)
            for offset in stride(from: 0, to: paddedCount, by: 64) {
                compress(UnsafeRawBufferPointer(rebasing: block[offset..<offset + 64]), into: &state)
            }
            return state
        }
    }

    /// The hash of bytes at hand, as 20 bytes.
    package static func hash(_ message: some Collection<UInt8>) -> [UInt8] {
        let state = hash(byteCount: message.count) { $0.copyBytes(from: message) }
        return [state.0, state.1, state.2, state.3, state.4].flatMap { word in
            (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * UInt32($0))) }
        }
    }

    /// Mixes one block of 64 bytes into the state: two lines of five rounds of 16 steps.
    private static func compress(_ block: UnsafeRawBufferPointer, into state: inout State) {
        var left = state
        var right = state
        leftSteps.withUnsafeBufferPointer { leftSteps in
            rightSteps.withUnsafeBufferPointer { rightSteps in
                // Written out, so that each round's function and constant are known when it is compiled.
                turn(&left, block, leftSteps, round: 0, function: 0, constant: 0)
                turn(&right, block, rightSteps, round: 0, function: 4, constant: 0x50a2_8be6)
                turn(&left, block, leftSteps, round: 1, function: 1, constant: 0x5a82_7999)
                turn(&right, block, rightSteps, round: 1, function: 3, constant: 0x5c4d_d124)
                turn(&left, block, leftSteps, round: 2, function: 2, constant: 0x6ed9_eba1)
                turn(&right, block, rightSteps, round: 2, function: 2, constant: 0x6d70_3ef3)
                turn(&left, block, leftSteps, round: 3, function: 3, constant: 0x8f1b_bcdc)
                turn(&right, block, rightSteps, round: 3, function: 1, constant: 0x7a6d_76e9)
                turn(&left, block, leftSteps, round: 4, function: 4, constant: 0xa953_fd4e)
                turn(&right, block, rightSteps, round: 4, function: 0, constant: 0)
            }
        }
        state = (
            state.1 &+ left.2 &+ right.3, state.2 &+ left.3 &+ right.4, state.3 &+ left.4 &+ right.0,
            state.4 &+ left.0 &+ right.1, state.0 &+ left.1 &+ right.2
        )
    }

    /// One round of 16 steps on one line.
    @inline(__always)
    private static func turn(
        _ line: inout State,
        _ block: UnsafeRawBufferPointer,
        _ steps: UnsafeBufferPointer<UInt16>,
        round: Int,
        function: Int,
        constant: UInt32
    ) {
        var (a, b, c, d, e) = line
        for index in (round * 16)..<(round * 16 + 16) {
            let step = steps[index]
            let word = UInt32(littleEndian: block.load(fromByteOffset: Int(step >> 4) & 0x3c, as: UInt32.self))
            let mixed = (a &+ mix(function, b, c, d) &+ word &+ constant).rotated(UInt32(step & 0xf)) &+ e
            (a, e, d, c, b) = (e, d, c.rotated(10), b, mixed)
        }
        line = (a, b, c, d, e)
    }

    @inline(__always)
    private static func mix(_ function: Int, _ x: UInt32, _ y: UInt32, _ z: UInt32) -> UInt32 {
        switch function {
        case 0: x ^ y ^ z
        case 1: (x & y) | (~x & z)
        case 2: (x | ~y) ^ z
        case 3: (x & z) | (y & ~z)
        default: x ^ (y | ~z)
        }
    }

    /// What a line's steps take: the word of the block from bit 6 up, and in the lowest four bits how far to rotate.
    private static let leftSteps = steps(words: leftWords, shifts: leftShifts)
    private static let rightSteps = steps(words: rightWords, shifts: rightShifts)

    private static func steps(words: [UInt8], shifts: [UInt8]) -> [UInt16] {
        zip(words, shifts).map { UInt16($0) << 6 | UInt16($1) }
    }

    private static let leftWords: [UInt8] = [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        7, 4, 13, 1, 10, 6, 15, 3, 12, 0, 9, 5, 2, 14, 11, 8,
        3, 10, 14, 4, 9, 15, 8, 1, 2, 7, 0, 6, 13, 11, 5, 12,
        1, 9, 11, 10, 0, 8, 12, 4, 13, 3, 7, 15, 14, 5, 6, 2,
        4, 0, 5, 9, 7, 12, 2, 10, 14, 1, 3, 8, 11, 6, 15, 13,
    ]
    private static let rightWords: [UInt8] = [
        5, 14, 7, 0, 9, 2, 11, 4, 13, 6, 15, 8, 1, 10, 3, 12,
        6, 11, 3, 7, 0, 13, 5, 10, 14, 15, 8, 12, 4, 9, 1, 2,
        15, 5, 1, 3, 7, 14, 6, 9, 11, 8, 12, 2, 10, 0, 4, 13,
        8, 6, 4, 1, 3, 11, 15, 0, 5, 12, 2, 13, 9, 7, 10, 14,
        12, 15, 10, 4, 1, 5, 8, 7, 6, 2, 13, 14, 0, 3, 9, 11,
    ]
    private static let leftShifts: [UInt8] = [
        11, 14, 15, 12, 5, 8, 7, 9, 11, 13, 14, 15, 6, 7, 9, 8,
        7, 6, 8, 13, 11, 9, 7, 15, 7, 12, 15, 9, 11, 7, 13, 12,
        11, 13, 6, 7, 14, 9, 13, 15, 14, 8, 13, 6, 5, 12, 7, 5,
        11, 12, 14, 15, 14, 15, 9, 8, 9, 14, 5, 6, 8, 6, 5, 12,
        9, 15, 5, 11, 6, 8, 13, 12, 5, 12, 13, 14, 11, 8, 5, 6,
    ]
    private static let rightShifts: [UInt8] = [
        8, 9, 9, 11, 13, 15, 15, 5, 7, 7, 8, 11, 14, 14, 12, 6,
        9, 13, 15, 7, 12, 8, 9, 11, 7, 7, 12, 7, 6, 15, 13, 11,
        9, 7, 15, 11, 8, 6, 6, 14, 12, 13, 5, 14, 13, 13, 7, 5,
        15, 5, 8, 11, 14, 14, 6, 14, 6, 9, 12, 9, 12, 5, 15, 8,
        8, 5, 12, 9, 12, 5, 14, 6, 8, 13, 6, 5, 15, 13, 11, 11,
    ]
}

extension UInt32 {
    @inline(__always)
    fileprivate func rotated(_ count: UInt32) -> UInt32 {
        self &<< count | self &>> (32 &- count)
    }
}

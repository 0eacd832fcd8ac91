import NIOCore

/// A HyperLogLog sketch as a server keeps it, with the bits of a minimal hash in each register if it has such
/// (aerospike-server 8.1, base/particle_hll.c, `hll_t`).
struct Sketch: Equatable {
    /// How many of a hash's bits choose the register: 4 to 16.
    let indexBits: Int
    /// How many bits of minimal hash a register has: 4 to 51, or 0.
    let minHashBits: Int
    /// An estimate that was kept; 0 if there is none.
    var cachedCount: UInt64 = 0
    /// Registers of 6 bits and those of the minimal hash, one right after the other.
    private(set) var registers: [UInt8]

    static let indexBitsRange = 4...16
    static let minHashBitsRange = 4...51
    /// The most bits of both kinds together.
    static let bitsMax = 64
    /// How many bits a register has besides those of the minimal hash.
    private static let rankBits = 6
    private static let headBytes = 11

    var registerCount: Int { 1 << indexBits }

    private var registerBits: Int { Self.rankBits + minHashBits }

    /// A sketch of nothing.
    init(indexBits: Int, minHashBits: Int) {
        self.indexBits = indexBits
        self.minHashBits = minHashBits
        registers = [UInt8](repeating: 0, count: Self.registerBytes(indexBits: indexBits, minHashBits: minHashBits))
    }

    /// The sketch in bytes; nil if they are none.
    init?(_ bytes: ByteBuffer) {
        var bytes = bytes
        guard let flags = bytes.readInteger(as: UInt8.self), flags == 0,
            let indexBits = bytes.readInteger(as: UInt8.self).map(Int.init), Self.indexBitsRange.contains(indexBits),
            let minHashBits = bytes.readInteger(as: UInt8.self).map(Int.init),
            minHashBits == 0 || Self.minHashBitsRange.contains(minHashBits),
            let cachedCount = bytes.readInteger(endianness: .little, as: UInt64.self),
            bytes.readableBytes == Self.registerBytes(indexBits: indexBits, minHashBits: minHashBits)
        else { return nil }
        self.indexBits = indexBits
        self.minHashBits = minHashBits
        self.cachedCount = cachedCount
        registers = Array(bytes.readableBytesView)
    }

    private static func registerBytes(indexBits: Int, minHashBits: Int) -> Int {
        ((rankBits + minHashBits) << indexBits + 7) / 8
    }

    /// Whether the bits are so few that a bin can hold the sketch.
    var isStorable: Bool { indexBits + minHashBits <= Self.bitsMax }

    /// The sketch as a bin holds it.
    var bytes: ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeMultipleIntegers(
            UInt8(0),
            UInt8(truncatingIfNeeded: indexBits),
            UInt8(truncatingIfNeeded: minHashBits)
        )
        buffer.writeInteger(cachedCount, endianness: .little)
        buffer.writeBytes(registers)
        return buffer
    }

    // MARK: Registers

    subscript(index: Int) -> UInt64 {
        get {
            let place = place(of: index)
            return (window(at: place.byte) >> place.shift) & (UInt64(1) << UInt64(registerBits) - 1)
        }
        set {
            let place = place(of: index)
            let mask = (UInt64(1) << UInt64(registerBits) - 1) << place.shift
            var window = window(at: place.byte) & ~mask | (newValue << place.shift) & mask
            for byte in (place.byte..<place.byte + 8).reversed() {
                registers[byte] = UInt8(truncatingIfNeeded: window)
                window >>= 8
            }
        }
    }

    /// The eight bytes that a register lies within, and how far from their end.
    private func place(of index: Int) -> (byte: Int, shift: UInt64) {
        let bit = index * registerBits
        let byte = min(bit / 8, registers.count - 8)
        return (byte, UInt64(64 - (bit - byte * 8) - registerBits))
    }

    private func window(at byte: Int) -> UInt64 {
        var window: UInt64 = 0
        for offset in 0..<8 {
            window = window << 8 | UInt64(registers[byte + offset])
        }
        return window
    }

    /// The rank that a register has seen, without its minimal hash.
    func rank(_ index: Int) -> UInt64 {
        self[index] >> UInt64(minHashBits)
    }

    // MARK: Values

    /// Where a value belongs, and what its register must be at least.
    private func place(of value: [UInt8]) -> (index: Int, register: UInt64) {
        let hash = MurmurHash.hash(value)
        let index = Int(hash.0 & (UInt64(1) << UInt64(indexBits) - 1))
        let minHash = hash.0 >> UInt64(indexBits) & (UInt64(1) << UInt64(minHashBits) - 1)
        let rank = UInt64(hash.1.trailingZeroBitCount) + 1
        return (index, rank << UInt64(minHashBits) | minHash)
    }

    /// Gives a value to the sketch; answers whether that changed it.
    mutating func insert(_ value: [UInt8]) -> Bool {
        let place = place(of: value)
        guard self[place.index] < place.register else { return false }
        self[place.index] = place.register
        cachedCount = 0
        return true
    }

    /// Whether the sketch may have been given a value.
    func mayContain(_ value: [UInt8]) -> Bool {
        let place = place(of: value)
        return place.register <= self[place.index]
    }

    // MARK: Other sketches

    /// A sketch of nothing that can take in all of some.
    init(compatibleWith sketches: [Sketch]) {
        let minHashBits = Set(sketches.map(\.minHashBits))
        self.init(
            indexBits: sketches.map(\.indexBits).min() ?? Self.indexBitsRange.lowerBound,
            minHashBits: minHashBits.count == 1 ? minHashBits.first ?? 0 : 0
        )
    }

    /// The sketch of all that some were given.
    init(unionOf sketches: [Sketch]) {
        self.init(compatibleWith: sketches)
        for sketch in sketches {
            formUnion(sketch)
        }
    }

    /// Takes in another, which has no fewer bits of index.
    mutating func formUnion(_ other: Sketch) {
        for index in 0..<other.registerCount {
            let own = index & (registerCount - 1)
            let register = minHashBits == 0 ? other.rank(index) : other[index]
            if self[own] < register {
                self[own] = register
            }
        }
        cachedCount = 0
    }

    /// Empties the registers that another's differ from.
    mutating func formIntersection(_ other: Sketch) {
        for index in 0..<other.registerCount {
            let own = index & (registerCount - 1)
            if self[own] != other[index] {
                self[own] = 0
            }
        }
    }

    /// Whether a server takes the sketch for one that was given anything: it looks at the first bytes only.
    var hasData: Bool {
        registers.prefix(registerCount).contains { $0 != 0 }
    }

    var usedRegisterCount: Int {
        (0..<registerCount).count { self[$0] != 0 }
    }
}

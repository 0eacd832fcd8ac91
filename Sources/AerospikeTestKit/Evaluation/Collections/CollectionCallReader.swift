import Aerospike
import NIOCore

/// Reads an operation's code and arguments (aerospike-server 8.1, base/cdt.c, `cdt_process_state_get_params`).
struct CollectionCallReader {
    /// What an argument has to be.
    enum Kind {
        /// An index, a rank, a count or flags.
        case number
        /// Any value, of which those that only compare are allowed.
        case compared
        /// A value to store.
        case stored
    }

    /// What a call is for: its code and how many arguments follow.
    struct Head {
        var code: Int64
        var argumentCount: Int
    }

    private var bytes: ByteBuffer
    /// Whether a value was read that only compares, be it in the arguments or in the way there.
    private var sawComparison = false

    init(_ bytes: ByteBuffer) {
        self.bytes = bytes
    }

    /// Whether the call is in the form of servers before 3.6, two bytes of code and then the arguments.
    var isOldForm: Bool {
        bytes.getInteger(at: bytes.readerIndex, as: UInt8.self) == 0
    }

    /// The head of a list: how many elements follow.
    mutating func listCount() -> Int? {
        guard let tag = bytes.readInteger(as: UInt8.self) else { return nil }
        switch tag {
        case 0x90..<0xa0: return Int(tag & 0x0f)
        case 0xdc: return bytes.readInteger(as: UInt16.self).map(Int.init)
        case 0xdd: return bytes.readInteger(as: UInt32.self).map(Int.init)
        default: return nil
        }
    }

    /// A whole number; those over 2^63 have the same bits.
    mutating func number() -> Int64? {
        try? bytes.unpackValue().integer
    }

    /// Any value.
    mutating func compared() -> Value? {
        guard let value = try? bytes.unpackValue() else { return nil }
        sawComparison = sawComparison || value.hasComparison
        return value
    }

    /// A key or value to store, as it is stored; what was read before does not matter.
    mutating func storedAlone() -> Value? {
        sawComparison = false
        return compared()?.stored
    }

    /// The head of a call.
    mutating func head() throws(Refusal) -> Head {
        guard let count = listCount(), count > 0, let code = number() else {
            throw .parameter("no code where an operation begins")
        }
        return Head(code: code, argumentCount: count - 1)
    }

    /// The arguments of a call.
    ///
    /// - Parameters:
    ///   - kinds: what they are.
    ///   - head: the call's head, which says how many there are.
    ///   - optional: how many of the last may be left out.
    /// - Returns: those that there are.
    /// - Throws: ``Refusal`` if they are too few, too many or of other kinds.
    mutating func arguments(
        _ kinds: [Kind],
        of head: Head,
        optional: Int = 0
    ) throws(Refusal) -> CollectionArguments {
        guard (kinds.count - optional...kinds.count).contains(head.argumentCount) else {
            throw .parameter("\(head.argumentCount) arguments to operation \(head.code)")
        }
        var values: [Value] = []
        for kind in kinds.prefix(head.argumentCount) {
            guard let value = compared() else { throw .parameter("an argument that cannot be read") }
            switch kind {
            case .compared: break
            case .number:
                guard value.integer != nil else { throw .parameter("\(value) where a whole number belongs") }
            case .stored:
                guard !sawComparison else { throw .parameter("\(value) cannot be stored") }
            }
            values.append(value)
        }
        return CollectionArguments(values: values)
    }
}

/// The arguments of an operation, whose kinds were checked when they were read.
struct CollectionArguments {
    fileprivate(set) var values: [Value]

    /// A value.
    subscript(index: Int) -> Value {
        values.indices.contains(index) ? values[index] : .null
    }

    /// A value that may be missing.
    func optional(_ index: Int) -> Value? {
        // Not as one expression: a nil in it would be a value that is null.
        guard values.indices.contains(index) else { return nil }
        return values[index]
    }

    /// An index or a rank.
    func number(_ index: Int) -> Int64 {
        optional(index)?.integer ?? 0
    }

    /// A count, which is no bound if it is missing.
    func count(_ index: Int) -> UInt64 {
        optional(index)?.integer.map(UInt64.init(bitPattern:)) ?? UInt64(UInt32.max)
    }

    /// Flags, none if they are missing.
    func flags(_ index: Int) -> UInt64 {
        UInt64(bitPattern: number(index))
    }
}

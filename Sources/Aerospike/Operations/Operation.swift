public import NIOCore

/// One step of what a call does to a record.
///
/// A call's operations happen one after the other, all or none, and each sees what those before it did:
///
/// ```swift
/// let operations: [Operation] = [
///     .add("visits", 1),
///     .list("latest").append("ann"),
///     .list("latest").trim(from: -10, count: 10),
///     .get("visits"),
/// ]
/// ```
public struct Operation: Sendable, Hashable {
    /// What the server is to do (aerospike-server 8.1, base/proto.h, `AS_MSG_OP_*`).
    package struct Kind: Sendable, Hashable, RawRepresentable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        package static let read = Kind(rawValue: 1)
        package static let write = Kind(rawValue: 2)
        package static let collectionRead = Kind(rawValue: 3)
        package static let collectionModify = Kind(rawValue: 4)
        package static let add = Kind(rawValue: 5)
        package static let expressionRead = Kind(rawValue: 7)
        package static let expressionModify = Kind(rawValue: 8)
        package static let append = Kind(rawValue: 9)
        package static let prepend = Kind(rawValue: 10)
        package static let touch = Kind(rawValue: 11)
        package static let bitRead = Kind(rawValue: 12)
        package static let bitModify = Kind(rawValue: 13)
        package static let delete = Kind(rawValue: 14)
        package static let hyperLogLogRead = Kind(rawValue: 15)
        package static let hyperLogLogModify = Kind(rawValue: 16)

        /// Whether it changes the record.
        package var isWrite: Bool {
            switch self {
            case .read, .collectionRead, .expressionRead, .bitRead, .hyperLogLogRead: false
            default: true
            }
        }
    }

    /// What an operation is given.
    package enum Argument: Sendable, Hashable {
        /// Nothing.
        case none
        /// A value, written as a particle of its own type.
        case value(Value)
        /// MessagePack, written as a blob.
        case packed(ByteBuffer)
    }

    /// Which bins a read without a bin's name is for.
    package enum Scope: Sendable, Hashable {
        /// The bin named, if any.
        case bin
        /// Every bin.
        case allBins
        /// None: only what is known about the record.
        case header
    }

    package let kind: Kind
    package let binName: String
    package let argument: Argument
    package let scope: Scope

    package init(_ kind: Kind, bin binName: String, _ argument: Argument = .none, scope: Scope = .bin) {
        self.kind = kind
        self.binName = binName
        self.argument = argument
        self.scope = scope
    }

    /// Whether the operation changes the record.
    public var isWrite: Bool { kind.isWrite }
}

// MARK: Whole bins

extension Operation {
    /// Reads a bin.
    public static func get(_ bin: String) -> Operation {
        Operation(.read, bin: bin)
    }

    /// Reads every bin.
    ///
    /// The reply has no place for each operation then, so it is to be the call's only read.
    public static var getAll: Operation {
        Operation(.read, bin: "", scope: .allBins)
    }

    /// Reads the record's generation and time to live, and no bin.
    public static var getHeader: Operation {
        Operation(.read, bin: "", scope: .header)
    }

    /// Writes a bin; ``Value/null`` deletes it.
    public static func put(_ bin: String, _ value: Value) -> Operation {
        Operation(.write, bin: bin, .value(value))
    }

    /// Adds to a bin that holds an integer.
    public static func add(_ bin: String, _ amount: Int) -> Operation {
        Operation(.add, bin: bin, .value(.integer(Int64(amount))))
    }

    /// Adds to a bin that holds a double.
    public static func add(_ bin: String, _ amount: Double) -> Operation {
        Operation(.add, bin: bin, .value(.double(amount)))
    }

    /// Puts text at the end of a bin that holds text.
    public static func append(_ bin: String, _ text: String) -> Operation {
        Operation(.append, bin: bin, .value(.string(text)))
    }

    /// Puts bytes at the end of a bin that holds bytes.
    public static func append(_ bin: String, _ bytes: ByteBuffer) -> Operation {
        Operation(.append, bin: bin, .value(.blob(bytes)))
    }

    /// Puts text at the beginning of a bin that holds text.
    public static func prepend(_ bin: String, _ text: String) -> Operation {
        Operation(.prepend, bin: bin, .value(.string(text)))
    }

    /// Puts bytes at the beginning of a bin that holds bytes.
    public static func prepend(_ bin: String, _ bytes: ByteBuffer) -> Operation {
        Operation(.prepend, bin: bin, .value(.blob(bytes)))
    }

    /// Renews the record's time to live and raises its generation.
    public static var touch: Operation {
        Operation(.touch, bin: "")
    }

    /// Deletes the record.
    ///
    /// Operations after it write a new one.
    public static var delete: Operation {
        Operation(.delete, bin: "")
    }
}

// MARK: On the wire

extension ByteBuffer {
    /// Writes an operation (aerospike-server 8.1, base/proto.h, `as_msg_op`): length, kind, particle type, flags,
    /// name and value.
    package mutating func writeOperation(_ operation: Operation) throws(AerospikeError) {
        let name = operation.binName
        guard name.utf8.count <= AerospikeLimits.binNameBytesMax else {
            throw .invalid("A bin's name has at most \(AerospikeLimits.binNameBytesMax) bytes, not '\(name)'.")
        }
        let type: ParticleType
        switch operation.argument {
        case .none: type = .null
        case .packed: type = .blob
        case .value(.infinity), .value(.wildcard):
            throw .invalid("Infinity and the wildcard only compare: no bin can hold them.")
        case .value(let value): type = value.particleType
        }
        let start = writerIndex
        writeMultipleIntegers(
            UInt32(0),
            operation.kind.rawValue,
            type.rawValue,
            UInt8(0),
            UInt8(truncatingIfNeeded: name.utf8.count)
        )
        writeString(name)
        switch operation.argument {
        case .none: break
        case .value(let value): writeParticle(value)
        case .packed(let bytes): writeImmutableBuffer(bytes)
        }
        setInteger(UInt32(truncatingIfNeeded: writerIndex - start - 4), at: start)
    }
}

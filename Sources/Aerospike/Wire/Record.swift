/// A bin: a name in a record, and the value under it.
public struct Bin: Sendable, Hashable {
    /// The name, at most 15 bytes; empty for the answer of an operation that names none.
    public var name: String

    /// The value; ``Value/null`` for an operation that answers nothing.
    public var value: Value

    /// A bin.
    public init(_ name: String, _ value: Value) {
        self.name = name
        self.value = value
    }
}

/// What a call answered about a record.
public struct Record: Sendable, Hashable {
    /// The bins, in the order of the reply.
    ///
    /// After a mix of operations that writes, this is one for each operation, in their order; the same name may then
    /// appear more than once.
    public var bins: [Bin]

    /// How often the record was written.
    ///
    /// The number wraps after 65535.
    public var generation: UInt32

    /// When the record ends, in seconds since the beginning of 2010 in UTC; 0 if never.
    public var voidTimeSeconds: UInt32

    /// A record.
    public init(bins: [Bin], generation: UInt32, voidTimeSeconds: UInt32) {
        self.bins = bins
        self.generation = generation
        self.voidTimeSeconds = voidTimeSeconds
    }

    /// The value of the first bin of that name; nil if there is none, or no value in it.
    public subscript(name: String) -> Value? {
        bins.first { $0.name == name && !$0.value.isNull }?.value
    }

    /// The values in the order of the reply, whatever their names.
    public var values: [Value] {
        bins.map(\.value)
    }

    /// When the record ends, in seconds of Unix time; nil if never.
    public var expiresAtUnixSeconds: Int64? {
        voidTimeSeconds == 0 ? nil : Int64(voidTimeSeconds) + Record.epochUnixSeconds
    }

    /// The beginning of the server's time: 2010-01-01 00:00:00 UTC (aerospike-common, cf_clock.h, `CITRUSLEAF_EPOCH`).
    package static let epochUnixSeconds: Int64 = 1_262_304_000
}

// MARK: Functions on the server

extension Record {
    /// What a function on the server returned (aerospike-server 8.1, transaction/udf.c).
    package var functionResult: Value {
        self["SUCCESS"] ?? .null
    }
}

extension ReplyMessage {
    /// What a function on the server said when it failed; nil if that is not what failed.
    package var functionFailure: String? {
        guard resultCode == .udfExecution, let failure = (try? record())?["FAILURE"] else { return nil }
        return "The function failed: \(failure.string ?? failure.description)."
    }
}

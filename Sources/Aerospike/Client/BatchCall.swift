/// A call on one record, to be made along with others in a batch.
public struct BatchCall: Sendable, Hashable {
    package let request: RecordRequest

    package init(_ request: RecordRequest) {
        self.request = request
    }

    /// The record.
    public var key: Key { request.key }

    /// Reads a record's bins: nil for all; none for only what is known about the record.
    public static func get(_ key: Key, bins: [String]? = nil, policy: ReadPolicy = ReadPolicy()) -> BatchCall {
        BatchCall(.get(key, bins: bins, policy: policy))
    }

    /// Asks whether there is such a record.
    public static func exists(_ key: Key, policy: ReadPolicy = ReadPolicy()) -> BatchCall {
        BatchCall(.exists(key, policy: policy))
    }

    /// Writes bins.
    public static func put(_ key: Key, _ bins: [String: Value], policy: WritePolicy = WritePolicy()) -> BatchCall {
        BatchCall(.write(key, bins.map { Operation.put($0.key, $0.value) }, policy: policy))
    }

    /// Does several things to a record, all or none.
    public static func operate(
        _ key: Key,
        _ operations: [Operation],
        policy: WritePolicy = WritePolicy(),
        readPolicy: ReadPolicy = ReadPolicy()
    ) -> BatchCall {
        BatchCall(.operate(key, operations, readPolicy: readPolicy, writePolicy: policy))
    }

    /// Renews a record's time to live.
    public static func touch(_ key: Key, policy: WritePolicy = WritePolicy()) -> BatchCall {
        BatchCall(.write(key, [.touch], policy: policy))
    }

    /// Deletes a record.
    public static func delete(_ key: Key, policy: WritePolicy = WritePolicy()) -> BatchCall {
        BatchCall(.delete(key, policy: policy))
    }

    /// Runs a registered function on the server; its result is the value of the answer's first bin.
    public static func execute(
        _ key: Key,
        _ package: String,
        _ function: String,
        _ arguments: [Value] = [],
        policy: WritePolicy = WritePolicy()
    ) -> BatchCall {
        BatchCall(
            .execute(key, .init(package: package, function: function, arguments: arguments), policy: policy)
        )
    }
}

/// How a batch is made.
public struct BatchPolicy: Sendable, Hashable {
    /// How long the batch may take, and how often its parts are tried, where that differs from the client's.
    ///
    /// The time and tries in the policies of the calls themselves do not count.
    public var call = CallPolicy()

    /// Which copies of records the calls that only read ask.
    public var replica = ReadReplica.masterFirst

    /// Whether the server works on records in memory in the thread that received the batch: less delay for small batches.
    public var inlineInMemory = true

    /// Whether the server does the same for records on a device.
    public var inlineOnDevice = false

    /// Whether the calls after one that failed are made all the same.
    public var goesOnAfterFailure = true

    /// What must be true of every record for its call to be made; a call's own filter takes its place.
    public var filter: Exp<Bool>?

    /// A policy of the defaults.
    public init() {}
}

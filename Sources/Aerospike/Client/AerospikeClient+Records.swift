extension AerospikeClient {
    /// Reads a record.
    ///
    /// - Parameters:
    ///   - key: the record.
    ///   - bins: the bins to read: nil for all; none for only what is known about the record.
    ///   - policy: how it is read.
    /// - Returns: the record; nil if there is none.
    /// - Throws: ``AerospikeError``.
    public func get(
        _ key: Key,
        bins: [String]? = nil,
        policy: ReadPolicy = ReadPolicy()
    ) async throws(AerospikeError) -> Record? {
        do {
            let request = RecordRequest.get(key, bins: bins, policy: policy)
            return try await call(request, policy: policy.call, replica: policy.replica, name: .get).record()
        } catch  where error.code == .notFound {
            return nil
        }
    }

    /// Whether there is such a record.
    ///
    /// - Parameters:
    ///   - key: the record.
    ///   - policy: how it is read.
    /// - Returns: whether there is one.
    /// - Throws: ``AerospikeError``.
    public func exists(_ key: Key, policy: ReadPolicy = ReadPolicy()) async throws(AerospikeError) -> Bool {
        do {
            let request = RecordRequest.exists(key, policy: policy)
            _ = try await call(request, policy: policy.call, replica: policy.replica, name: .exists)
            return true
        } catch  where error.code == .notFound {
            return false
        }
    }

    /// Writes bins of a record; those it has besides stay.
    ///
    /// - Parameters:
    ///   - key: the record.
    ///   - bins: the bins by name; ``Value/null`` deletes one.
    ///   - policy: under which conditions, and how.
    /// - Returns: the record's generation afterwards.
    /// - Throws: ``AerospikeError``.
    @discardableResult
    public func put(
        _ key: Key,
        _ bins: [String: Value],
        policy: WritePolicy = WritePolicy()
    ) async throws(AerospikeError) -> UInt32 {
        try await write(key, bins.map { Operation.put($0.key, $0.value) }, policy, .put)
    }

    /// Adds to bins that hold integers; a bin that is not there counts as 0.
    ///
    /// - Parameters:
    ///   - key: the record.
    ///   - amounts: what to add, by the bin's name.
    ///   - policy: under which conditions, and how.
    /// - Returns: the record's generation afterwards.
    /// - Throws: ``AerospikeError``.
    @discardableResult
    public func add(
        _ key: Key,
        _ amounts: [String: Int],
        policy: WritePolicy = WritePolicy()
    ) async throws(AerospikeError) -> UInt32 {
        try await write(key, amounts.map { Operation.add($0.key, $0.value) }, policy, .add)
    }

    /// Puts text at the end of bins that hold text.
    ///
    /// - Parameters:
    ///   - key: the record.
    ///   - texts: what to append, by the bin's name.
    ///   - policy: under which conditions, and how.
    /// - Returns: the record's generation afterwards.
    /// - Throws: ``AerospikeError``.
    @discardableResult
    public func append(
        _ key: Key,
        _ texts: [String: String],
        policy: WritePolicy = WritePolicy()
    ) async throws(AerospikeError) -> UInt32 {
        try await write(key, texts.map { Operation.append($0.key, $0.value) }, policy, .append)
    }

    /// Puts text at the beginning of bins that hold text.
    ///
    /// - Parameters:
    ///   - key: the record.
    ///   - texts: what to prepend, by the bin's name.
    ///   - policy: under which conditions, and how.
    /// - Returns: the record's generation afterwards.
    /// - Throws: ``AerospikeError``.
    @discardableResult
    public func prepend(
        _ key: Key,
        _ texts: [String: String],
        policy: WritePolicy = WritePolicy()
    ) async throws(AerospikeError) -> UInt32 {
        try await write(key, texts.map { Operation.prepend($0.key, $0.value) }, policy, .prepend)
    }

    /// Renews a record's time to live.
    ///
    /// - Parameters:
    ///   - key: the record.
    ///   - policy: under which conditions, and how; its ``WritePolicy/timeToLive`` is the new one.
    /// - Returns: the record's generation afterwards.
    /// - Throws: ``AerospikeError``; ``ResultCode/notFound`` if there is no such record.
    @discardableResult
    public func touch(_ key: Key, policy: WritePolicy = WritePolicy()) async throws(AerospikeError) -> UInt32 {
        try await write(key, [.touch], policy, .touch)
    }

    /// Deletes a record.
    ///
    /// On a namespace kept in files a deleted record may come back with a restart, unless the delete was durable, which
    /// takes the Enterprise Edition.
    ///
    /// - Parameters:
    ///   - key: the record.
    ///   - policy: under which conditions, and how.
    /// - Returns: whether there was one.
    /// - Throws: ``AerospikeError``.
    @discardableResult
    public func delete(_ key: Key, policy: WritePolicy = WritePolicy()) async throws(AerospikeError) -> Bool {
        do {
            _ = try await call(.delete(key, policy: policy), policy: policy.call, name: .delete)
            return true
        } catch  where error.code == .notFound {
            return false
        }
    }

    /// Does several things to a record in one round trip, all or none.
    ///
    /// - Parameters:
    ///   - key: the record.
    ///   - operations: what to do, in this order.
    ///   - policy: under which conditions, and how.
    ///   - readPolicy: how the record is read, if no operation writes; its time and tries are then those of the call.
    /// - Returns: an answer for each operation, in their order; see ``Record/bins``.
    /// - Throws: ``AerospikeError``.
    @discardableResult
    public func operate(
        _ key: Key,
        _ operations: [Operation],
        policy: WritePolicy = WritePolicy(),
        readPolicy: ReadPolicy = ReadPolicy()
    ) async throws(AerospikeError) -> Record {
        guard !operations.isEmpty else { throw .invalid("There is nothing to do: name at least one operation.") }
        let request = RecordRequest.operate(key, operations, readPolicy: readPolicy, writePolicy: policy)
        return request.isWrite
            ? try await make(request, policy: policy.call)
            : try await make(request, policy: readPolicy.call, replica: readPolicy.replica)
    }

    /// Makes a call of several operations that was put together before.
    package func make(
        _ request: RecordRequest,
        policy: CallPolicy = CallPolicy(),
        replica: ReadReplica = .master
    ) async throws(AerospikeError) -> Record {
        let reply = try await call(request, policy: policy, replica: replica, name: .operate)
        do {
            return try reply.record(answering: request)
        } catch {
            // The reply said that it was done, and only then something that cannot be read.
            throw error.adding(inDoubt: request.isWrite)
        }
    }

    /// Runs a registered function on the server for a record.
    ///
    /// - Parameters:
    ///   - key: the record.
    ///   - package: the name under which the functions were registered, without its extension.
    ///   - function: the function's name.
    ///   - arguments: its arguments after the record.
    ///   - policy: under which conditions, and how.
    /// - Returns: what the function returned.
    /// - Throws: ``AerospikeError``; ``ResultCode/udfExecution`` with the function's own message if it failed.
    public func execute(
        _ key: Key,
        _ package: String,
        _ function: String,
        _ arguments: [Value] = [],
        policy: WritePolicy = WritePolicy()
    ) async throws(AerospikeError) -> Value {
        let program = RecordRequest.Program(package: package, function: function, arguments: arguments)
        let reply = try await call(.execute(key, program, policy: policy), policy: policy.call, name: .execute)
        do {
            return try reply.record().functionResult
        } catch {
            throw error.adding(inDoubt: true)
        }
    }

    private func write(
        _ key: Key,
        _ operations: [Operation],
        _ policy: WritePolicy,
        _ name: CallName
    ) async throws(AerospikeError) -> UInt32 {
        guard !operations.isEmpty else { throw .invalid("There is nothing to write: name at least one bin.") }
        return try await call(.write(key, operations, policy: policy), policy: policy.call, name: name).header
            .generation
    }
}

package import Aerospike

/// The calls that guarded calls are made of: those of a client, or of what takes its place in tests.
package protocol RecordCalls: Sendable {
    /// Does several things to a record.
    func operate(
        _ key: Key,
        _ operations: [Operation],
        policy: WritePolicy
    ) async throws(AerospikeError) -> Record

    /// Does several things to each of some records.
    func operate(
        _ parts: [(key: Key, operations: [Operation])]
    ) async throws(AerospikeError) -> [Result<Record, AerospikeError>]
}

extension AerospikeClient: RecordCalls {
    package func operate(
        _ key: Key,
        _ operations: [Operation],
        policy: WritePolicy
    ) async throws(AerospikeError) -> Record {
        try await operate(key, operations, policy: policy, readPolicy: ReadPolicy())
    }

    package func operate(
        _ parts: [(key: Key, operations: [Operation])]
    ) async throws(AerospikeError) -> [Result<Record, AerospikeError>] {
        try await batch(parts.map { .operate($0.key, $0.operations) })
    }
}

/// Calls that a late duplicate cannot harm: each has a condition that it makes false itself, or may as well happen twice.
package struct GuardedCalls: Sendable {
    private let records: any RecordCalls
    private let call: CallPolicy
    /// How often a call is made that fails for what passes, as while a node is gone and the others have not taken over.
    private let triesMax: Int

    /// Calls of a client, by its own policy but tried again when they are in doubt.
    package init(_ client: AerospikeClient) {
        self.init(client, policy: client.configuration.call, triesMax: 8)
    }

    /// Calls by a policy, tried again when they are in doubt.
    package init(_ records: any RecordCalls, policy: CallPolicy, triesMax: Int = 1) {
        self.records = records
        self.triesMax = triesMax
        var call = policy
        call.retriesInDoubt = true
        self.call = call
    }

    /// Does something to a record that is there, if a condition holds.
    ///
    /// - Returns: what the operations answered; nil if there is no such record or the condition does not hold.
    func change(_ key: Key, _ operations: [Operation], if condition: Exp<Bool>) async throws -> Record? {
        var policy = WritePolicy()
        policy.exists = .updateOnly
        policy.filter = condition
        policy.call = call
        return try await operate(key, operations, policy, exceptions: [.filteredOut, .notFound])
    }

    /// Makes a record that is not there; one that is there stays as it is.
    func create(_ key: Key, _ operations: [Operation]) async throws {
        var policy = WritePolicy()
        policy.exists = .createOnly
        policy.call = call
        _ = try await operate(key, operations, policy, exceptions: [.recordExists])
    }

    /// Reads bins of a record, or parts of them.
    ///
    /// - Returns: what the operations answered; nil if there is no such record.
    func read(_ key: Key, _ operations: [Operation]) async throws -> Record? {
        try await operate(key, operations, WritePolicy(), exceptions: [.notFound])
    }

    private func operate(
        _ key: Key,
        _ operations: [Operation],
        _ policy: WritePolicy,
        exceptions: [ResultCode]
    ) async throws -> Record? {
        do throws(AerospikeError) {
            return try await tryingAgain(triesMax) { () throws(AerospikeError) in
                try await records.operate(key, operations, policy: policy)
            }
        } catch {
            guard exceptions.contains(error.code) else { throw error }
            return nil
        }
    }

    /// Reads from many records with one message for each node.
    ///
    /// - Returns: what the operations answered, in the order of the keys; nil for a record that is not there.
    func read(_ keys: [Key], _ operations: [Operation]) async throws -> [Record?] {
        try await read(keys.map { ($0, operations) })
    }

    func read(_ parts: [(key: Key, operations: [Operation])]) async throws -> [Record?] {
        if parts.count == 1 {
            return [try await read(parts[0].key, parts[0].operations)]
        }
        return try await tryingAgain(triesMax) { () throws(AerospikeError) in
            var found: [Record?] = []
            for answer in try await records.operate(parts) {
                switch answer {
                case .success(let record): found.append(record)
                case .failure(let error) where error.code == .notFound: found.append(nil)
                case .failure(let error): throw error
                }
            }
            return found
        }
    }
}

extension Record {
    /// A bin as a number.
    func int(_ name: String) -> Int? { self[name]?.integer.map { Int($0) } }
}

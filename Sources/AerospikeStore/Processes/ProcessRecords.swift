import Aerospike
import BeanspikeCore
import NIOCore

/// The records by which processes know of each other, and each change of them as one guarded call.
///
/// Every change may be asked for again, and may arrive once more long after: its guard then refuses it, or it says what is
/// true already. So what is in doubt is asked again, and a refusal is read up on.
///
/// A process exists as long as the queue's record lists its number, and numbers are never given twice. A record of a process
/// that is not listed means nothing, whether it is left over or came back with a node's restart: nobody reads it.
struct ProcessRecords: Sendable {
    /// The bins of the queue's record and of the processes'.
    enum Bin {
        static let version = "v"
        static let lastSegment = "seg"
        static let lastProcess = "proc"
        static let processes = "procs"
        static let secret = "secret"
        static let tubePages = "pages"

        static let nonce = "n"
        static let beat = "beat"
        static let interval = "ms"
        static let isDead = "dead"
        static let pages = "pages"
        static let host = "host"
        static let port = "port"
        static let sequence = "q"
        static let segments = "s"
        static let now = "now"
    }

    /// What a guarded change came to.
    enum Outcome: Sendable {
        case done(Record)
        /// The guard said no, or a record that was to be created is there.
        case refused
        /// There is no record.
        case missing
    }

    /// The format of the records that this version reads and writes.
    static let formatVersion: Int64 = 2
    static let secretBytes = 32

    let client: AerospikeClient
    let layout: StoreLayout
    let call: CallPolicy

    init(client: AerospikeClient, layout: StoreLayout, timeout: Duration) {
        self.client = client
        self.layout = layout
        var call = client.configuration.call
        call.timeout = timeout
        // A node that says nothing is asked once more while there is time.
        call.tryTimeout = timeout / 2
        call.retriesInDoubt = true
        self.call = call
    }

    // MARK: Calls

    /// Changes a record if its guard allows.
    func change(
        _ key: Key,
        _ operations: [Operation],
        exists: RecordExists = .updateOnly,
        if guardExpression: Exp<Bool>? = nil
    ) async throws(AerospikeError) -> Outcome {
        var policy = WritePolicy()
        policy.exists = exists
        policy.filter = guardExpression
        policy.timeToLive = .never
        policy.call = call
        do {
            return .done(try await client.operate(key, operations, policy: policy))
        } catch  where error.code == .filteredOut || error.code == .recordExists {
            return .refused
        } catch  where error.code == .notFound {
            return .missing
        }
    }

    /// Changes a record that is believed to be there: one that is not found is looked for again, see ``absencesMax``.
    func changeFound(
        _ key: Key,
        _ operations: [Operation],
        if guardExpression: Exp<Bool>? = nil
    ) async throws(AerospikeError) -> Outcome {
        let found = try await untilFound { () throws(AerospikeError) -> Outcome? in
            let outcome = try await change(key, operations, if: guardExpression)
            if case .missing = outcome { return nil }
            return outcome
        }
        return found ?? .missing
    }

    /// Reads a record that is believed to be there; see ``absencesMax``.
    func readFound(_ key: Key, _ bins: [String]) async throws(AerospikeError) -> Record? {
        try await untilFound { () throws(AerospikeError) in try await read(key, bins) }
    }

    private func untilFound<T>(_ look: () async throws(AerospikeError) -> T?) async throws(AerospikeError) -> T? {
        for absences in 1..<Self.absencesMax {
            if let found = try await look() { return found }
            await Self.pause(afterAbsences: absences)
        }
        return try await look()
    }

    /// How often in a row a record is not found before it is gone.
    ///
    /// A node that has just come back may be wrong about it once, and what followed from that would be for good: a process
    /// would drop all it holds, and jobs of a dead one would be left where nobody looks for them any more.
    static let absencesMax = 6

    /// Waits before a record that was not found is looked for again: 10 ms, and up to 160 ms.
    static func pause(afterAbsences count: Int) async {
        try? await Task.sleep(for: .milliseconds(5 << count))
    }

    func read(_ key: Key, _ bins: [String]) async throws(AerospikeError) -> Record? {
        try await client.get(key, bins: bins, policy: readPolicy)
    }

    func delete(_ key: Key) async throws(AerospikeError) {
        var policy = WritePolicy()
        policy.call = call
        _ = try await client.delete(key, policy: policy)
    }

    var readPolicy: ReadPolicy {
        var policy = ReadPolicy()
        // The master alone: a replica may be about to be told.
        policy.replica = .master
        policy.call = call
        return policy
    }
}

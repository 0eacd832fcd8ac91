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

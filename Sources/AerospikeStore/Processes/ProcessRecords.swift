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
    static let formatVersion: Int64 = 1
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

    private func delete(_ key: Key) async throws(AerospikeError) {
        var policy = WritePolicy()
        policy.call = call
        _ = try await client.delete(key, policy: policy)
    }

    private var readPolicy: ReadPolicy {
        var policy = ReadPolicy()
        // The master alone: a replica may be about to be told.
        policy.replica = .master
        policy.call = call
        return policy
    }
}

// MARK: The queue's record

extension ProcessRecords {
    /// What a heartbeat reads of the queue's record.
    struct QueueSight: Sendable {
        var processes: [Int]
        var tubePages: Int
        var nowMilliseconds: Int64
        var sentAt: NIODeadline
        var receivedAt: NIODeadline
    }

    /// The time of the clock of the node that serves the record, in milliseconds of Unix time.
    private static let serverTime: Exp<Int> = .lastUpdate / .init(constant: 1_000_000) + .sinceUpdate

    /// Creates the queue's record unless it is there, and checks that it is one of ours.
    ///
    /// - Returns: the queue's secret.
    func openQueue() async throws(JobStoreError) -> [UInt8] {
        do throws(AerospikeError) {
            var record = try await read(layout.queueKey, [Bin.version, Bin.secret])
            if record == nil {
                var random = SystemRandomNumberGenerator()
                let secret = (0..<Self.secretBytes).map { _ in UInt8.random(in: .min ... .max, using: &random) }
                _ = try await change(
                    layout.queueKey,
                    [
                        .put(Bin.version, .integer(Self.formatVersion)), .put(Bin.lastSegment, 0),
                        .put(Bin.lastProcess, 0), .put(Bin.secret, .bytes(secret)), .put(Bin.tubePages, 0),
                        .map(Bin.processes).create(order: .keyOrdered),
                    ],
                    exists: .createOnly
                )
                // Another process may have been faster: its secret is the queue's.
                record = try await read(layout.queueKey, [Bin.version, Bin.secret])
            }
            return try Self.secret(of: record, layout)
        } catch {
            throw JobStoreError(opening: error, layout)
        }
    }

    private static func secret(of record: Record?, _ layout: StoreLayout) throws(AerospikeError) -> [UInt8] {
        guard let version = record?[Bin.version]?.integer else {
            throw AerospikeError(.invalidArgument, "The record of the queue is not one of ours.")
        }
        guard version == formatVersion else { throw AerospikeError(.unsupportedFeature, "\(version)") }
        guard let secret = record?[Bin.secret]?.blob, secret.readableBytes == secretBytes else {
            throw AerospikeError(.invalidArgument, "The record of the queue has no secret.")
        }
        return Array(secret.readableBytesView)
    }

    func readQueue() async throws(AerospikeError) -> QueueSight? {
        let sentAt = NIODeadline.now()
        let record: Record
        do {
            record = try await client.operate(
                layout.queueKey,
                [
                    .read(Self.serverTime, as: Bin.now), .get(Bin.tubePages),
                    .map(Bin.processes).get(.indexes(from: 0), returning: .key),
                ],
                readPolicy: readPolicy
            )
        } catch  where error.code == .notFound {
            return nil
        }
        guard let now = record[Bin.now]?.integer else { throw .malformed("no time in it") }
        return QueueSight(
            processes: record[Bin.processes]?.list?.compactMap { $0.integer.map { Int($0) } } ?? [],
            tubePages: Int(record[Bin.tubePages]?.integer ?? 0),
            nowMilliseconds: now,
            sentAt: sentAt,
            receivedAt: .now()
        )
    }

    /// Takes a number that no process had before.
    func takeNumber() async throws(AerospikeError) -> Int {
        let isOurs: Exp<Bool> = .int(bin: Bin.version) == .init(constant: .integer(Self.formatVersion))
        let outcome = try await change(
            layout.queueKey,
            [.add(Bin.lastProcess, 1), .get(Bin.lastProcess)],
            if: isOurs
        )
        guard case .done(let record) = outcome, let number = record.bins.last?.value.integer else {
            throw AerospikeError(.notFound, "The record of the queue has gone.")
        }
        return Int(number)
    }

    /// Lists a process, unless there are too many.
    ///
    /// - Returns: whether it is listed.
    func list(_ process: Int) async throws(AerospikeError) -> Bool {
        let processes: Exp<Value.Map> = .map(bin: Bin.processes)
        let isListed = processes.get(.key(process), .exists)
        let outcome = try await change(
            layout.queueKey,
            [.map(Bin.processes).put(.integer(Int64(process)), 1, policy: MapWritePolicy(order: .keyOrdered))],
            if: !isListed && processes.size() < .init(constant: .integer(Int64(StoreLimits.processesMax)))
        )
        if case .done = outcome { return true }
        return try await readQueue()?.processes.contains(process) ?? false
    }

    /// Takes a process from the list: it exists no more.
    func unlist(_ process: Int) async throws(AerospikeError) {
        let processes: Exp<Value.Map> = .map(bin: Bin.processes)
        _ = try await change(
            layout.queueKey,
            [.map(Bin.processes).remove(.key(.integer(Int64(process))))],
            if: processes.get(.key(process), .exists)
        )
    }
}

// MARK: Processes

extension ProcessRecords {
    /// What a process's record says.
    struct ProcessSight: Sendable {
        var sighting: ProcessWatch.Sighting
        var address: PeerAddress?
    }

    /// Whether a record is that of a process which may go on.
    ///
    /// The nonce tells apart two processes that were given one number, as can happen when a cluster loses the last of what
    /// it had acknowledged.
    static func isAlive(_ nonce: [UInt8]) -> Exp<Bool> {
        .int(bin: Bin.isDead) == .init(constant: 0)
            && .blob(bin: Bin.nonce) == .init(constant: .bytes(nonce))
    }

    /// Writes the record of a process that is to be.
    ///
    /// - Returns: whether the number is this process's own; false if there is a record of another.
    func create(
        _ process: Int,
        nonce: [UInt8],
        interval: Duration,
        address: PeerAddress?
    ) async throws(AerospikeError) -> Bool {
        let key = layout.processKey(process)
        var operations: [Operation] = [
            .put(Bin.nonce, .bytes(nonce)), .put(Bin.beat, 1), .put(Bin.isDead, 0), .put(Bin.pages, 0),
            .put(Bin.interval, .integer(interval.timeAmount.nanoseconds / 1_000_000)),
        ]
        if let address {
            operations += [.put(Bin.host, .string(address.host)), .put(Bin.port, .integer(Int64(address.port)))]
        }
        if case .done = try await change(key, operations, exists: .createOnly) { return true }
        return try await read(key, [Bin.nonce])?[Bin.nonce] == .bytes(nonce)
    }

    /// Beats.
    ///
    /// - Returns: whether the process may go on.
    func beat(_ process: Int, nonce: [UInt8]) async throws(AerospikeError) -> Bool {
        let outcome = try await change(
            layout.processKey(process),
            [.add(Bin.beat, 1)],
            if: Self.isAlive(nonce)
        )
        if case .done = outcome { return true }
        return false
    }

    /// What the records of some processes say.
    func look(at processes: [Int]) async throws(AerospikeError) -> [Int: ProcessSight] {
        guard !processes.isEmpty else { return [:] }
        let bins = [Bin.beat, Bin.interval, Bin.isDead, Bin.host, Bin.port]
        var policy = BatchPolicy()
        policy.call = call
        policy.replica = .master
        let results = try await client.batch(
            processes.map { .get(layout.processKey($0), bins: bins) },
            policy: policy
        )
        var seen: [Int: ProcessSight] = [:]
        for (process, result) in zip(processes, results) {
            switch result {
            case .success(let record): seen[process] = Self.sight(record)
            case .failure(let error) where error.code == .notFound:
                seen[process] = ProcessSight(sighting: .missing)
            // Of what cannot be read nothing is known.
            case .failure: break
            }
        }
        return seen
    }

    private static func sight(_ record: Record) -> ProcessSight {
        let address = PeerAddress(
            host: record[Bin.host]?.string ?? "",
            port: Int(record[Bin.port]?.integer ?? 0)
        )
        guard let beat = record[Bin.beat]?.integer, record[Bin.isDead]?.integer == 0 else {
            return ProcessSight(sighting: .dead, address: address)
        }
        let milliseconds = min(max(record[Bin.interval]?.integer ?? 0, 100), 3_600_000)
        return ProcessSight(sighting: .beat(beat, interval: .milliseconds(milliseconds)), address: address)
    }

    /// Marks a process dead if its beat is still the one seen.
    ///
    /// - Returns: whether it is dead.
    func markDead(_ process: Int, beat: Int64) async throws(AerospikeError) -> Bool {
        let key = layout.processKey(process)
        let isSilent: Exp<Bool> =
            .int(bin: Bin.isDead) == .init(constant: 0)
            && .int(bin: Bin.beat) == .init(constant: .integer(beat))
        switch try await change(key, [.put(Bin.isDead, 1)], if: isSilent) {
        case .done, .missing: return true
        case .refused: return try await read(key, [Bin.isDead])?[Bin.isDead]?.integer != 0
        }
    }

    /// Removes a process that holds nothing any more: its pages, its record, and last its place in the list.
    ///
    /// Whatever of this is left undone, the next who finds the process listed does.
    func clear(_ process: Int) async throws(AerospikeError) {
        let key = layout.processKey(process)
        let pages = Int(try await read(key, [Bin.pages])?[Bin.pages]?.integer ?? 0)
        // One more may have been made that was not counted any more.
        for page in 0...max(0, min(pages, FootprintPlan.pagesMax)) {
            try await delete(layout.footprintKey(process: process, page: page))
        }
        try await delete(key)
        try await unlist(process)
    }
}

extension JobStoreError {
    /// Why a queue could not be opened.
    init(opening error: AerospikeError, _ layout: StoreLayout) {
        let place = "namespace '\(layout.namespace)', set '\(layout.name(of: .queue))'"
        switch error.code {
        case .unsupportedFeature:
            self.init(
                .unknownVersion,
                """
                The queue in \(place) is of format \(error.message), and this version knows format \
                \(ProcessRecords.formatVersion): use a version of Beanspike that knows it.
                """
            )
        case .invalidArgument:
            self.init(.notAStore, "\(error.message) Look at \(place), or use another set prefix.")
        default:
            self.init(.cannotOpen, "The queue in \(place) cannot be opened: \(error)", inDoubt: error.inDoubt)
        }
    }

    /// A failure of a call on a process's own records.
    init(writing error: AerospikeError) {
        self.init(
            .writeFailed,
            "What this process may reserve from could not be written down: \(error)",
            inDoubt: error.inDoubt
        )
    }

    /// The process has been taken for dead.
    static var processIsDead: JobStoreError {
        JobStoreError(
            .closed,
            """
            Other processes took this one for dead, since its heartbeat did not come through, and have taken its jobs \
            back. It starts again by itself: try again.
            """
        )
    }
}

import Aerospike
import BeanspikeCore
import NIOCore

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

    /// Makes the queue's record again, which the cluster has lost: with the secret, numbers that no segment and no process has
    /// exceeded, and the processes that exist as far as is known.
    func restoreQueue(
        secret: [UInt8],
        lastSegment: Int,
        lastProcess: Int,
        processes: Set<Int>
    ) async throws(AerospikeError) {
        let entries = processes.sorted().map { (key: Value.integer(Int64($0)), value: Value.integer(1)) }
        var map = Value.Map(entries)
        map.order = .keyOrdered
        _ = try await change(
            layout.queueKey,
            [
                .put(Bin.version, .integer(Self.formatVersion)), .put(Bin.lastSegment, .integer(Int64(lastSegment))),
                .put(Bin.lastProcess, .integer(Int64(lastProcess))), .put(Bin.secret, .bytes(secret)),
                .put(Bin.tubePages, 0), .map(Bin.processes).create(order: .keyOrdered),
                .map(Bin.processes).put(contentsOf: map, policy: MapWritePolicy(order: .keyOrdered)),
            ],
            exists: .createOnly
        )
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

    /// Whether there is no record of the queue.
    func isQueueMissing() async throws(AerospikeError) -> Bool {
        try await read(layout.queueKey, [Bin.version]) == nil
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
    init(writingProcess error: AerospikeError) {
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

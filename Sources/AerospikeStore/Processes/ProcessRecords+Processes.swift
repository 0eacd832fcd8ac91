import Aerospike
import NIOCore

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
        let outcome = try await changeFound(
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
        let pages = Int(try await readFound(key, [Bin.pages])?[Bin.pages]?.integer ?? 0)
        // One more may have been made that was not counted any more.
        for page in 0...max(0, min(pages, FootprintPlan.pagesMax)) {
            try await delete(layout.footprintKey(process: process, page: page))
        }
        try await delete(key)
        try await unlist(process)
    }
}

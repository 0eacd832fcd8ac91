import Aerospike

/// The pages on which a process writes down from which segments it may have reserved.
///
/// A page is made before it is counted, and counted before it is used, and the count is refused to a process that was found
/// dead. Who clears up marks the process dead first, then each page that is counted. So either it finds a segment on a page,
/// or the process is refused to write it there, and never reserves from it.
extension ProcessRecords {
    /// Makes a page and counts it.
    ///
    /// - Returns: whether it can be used; false if the process was found dead.
    func makePage(_ page: Int, of process: Int, nonce: [UInt8]) async throws(AerospikeError) -> Bool {
        let key = layout.footprintKey(process: process, page: page)
        let outcome = try await change(
            key,
            [
                .put(Bin.nonce, .bytes(nonce)), .put(Bin.isDead, 0), .put(Bin.sequence, 0),
                .map(Bin.segments).create(order: .keyOrdered),
            ],
            exists: .createOnly
        )
        if case .refused = outcome {
            // An earlier try of ours, unless a cluster that lost what it had acknowledged gave a number twice.
            guard try await readFound(key, [Bin.nonce])?[Bin.nonce] == .bytes(nonce) else { return false }
        }
        let processKey = layout.processKey(process)
        let count = Int64(page) + 1
        let counted = try await changeFound(
            processKey,
            [.put(Bin.pages, .integer(count))],
            if: Self.isAlive(nonce) && .int(bin: Bin.pages) < .init(constant: .integer(count))
        )
        if case .done = counted { return true }
        guard let record = try await readFound(processKey, [Bin.nonce, Bin.isDead, Bin.pages]) else { return false }
        return record[Bin.isDead]?.integer == 0 && record[Bin.nonce] == .bytes(nonce)
            && (record[Bin.pages]?.integer ?? 0) >= count
    }

    /// Writes a page.
    ///
    /// - Returns: whether it was done; false if the process was found dead.
    func write(_ write: FootprintPlan.Write, of process: Int, nonce: [UInt8]) async throws(AerospikeError) -> Bool {
        let key = layout.footprintKey(process: process, page: write.page)
        var operations: [Operation] = [.put(Bin.sequence, .integer(write.sequence))]
        if !write.removing.isEmpty {
            operations.append(.map(Bin.segments).remove(.keys(in: write.removing.map { .integer(Int64($0)) })))
        }
        let entries = write.adding.map { (Value.integer(Int64($0)), Value.integer(1)) }
        operations.append(
            .map(Bin.segments).put(contentsOf: Value.Map(entries), policy: MapWritePolicy(order: .keyOrdered))
        )
        let outcome = try await changeFound(
            key,
            operations,
            if: Self.isAlive(nonce) && .int(bin: Bin.sequence) < .init(constant: .integer(write.sequence))
        )
        switch outcome {
        case .done: return true
        case .missing: return false
        case .refused:
            // It was done by an earlier try, or the page was taken from us.
            let record = try await readFound(key, [Bin.nonce, Bin.isDead, Bin.sequence])
            return record?[Bin.isDead]?.integer == 0 && record?[Bin.nonce] == .bytes(nonce)
                && record?[Bin.sequence]?.integer == write.sequence
        }
    }

    /// Closes the pages of a process that was found dead, and reads them.
    ///
    /// - Parameter process: the process, which must have been marked dead.
    /// - Returns: the segments from which it may have reserved.
    /// - Throws: ``AerospikeError`` if they cannot be read.
    func closeFootprint(of process: Int) async throws(AerospikeError) -> [Int] {
        let record = try await readFound(layout.processKey(process), [Bin.pages])
        // Without a record nobody knows how many pages there are: up to the first that is missing.
        let count = record.map { Int($0[Bin.pages]?.integer ?? 0) } ?? FootprintPlan.pagesMax
        var segments: Set<Int> = []
        for page in 0..<max(0, min(count, FootprintPlan.pagesMax)) {
            let outcome = try await changeFound(
                layout.footprintKey(process: process, page: page),
                [.put(Bin.isDead, 1), .map(Bin.segments).get(.indexes(from: 0), returning: .key)]
            )
            guard case .done(let page) = outcome else {
                // A page that was counted and is not there was removed by another who has cleared up already.
                if record == nil { break }
                continue
            }
            segments.formUnion(page.bins.last?.value.list?.compactMap { $0.integer.map { Int($0) } } ?? [])
        }
        return segments.sorted()
    }

    /// The segments from which a process may have reserved, as they stand.
    func footprint(of process: Int) async throws(AerospikeError) -> [Int] {
        let record = try await read(layout.processKey(process), [Bin.pages])
        let count = max(0, min(Int(record?[Bin.pages]?.integer ?? 0), FootprintPlan.pagesMax))
        var segments: Set<Int> = []
        for page in 0..<count {
            let record = try await read(layout.footprintKey(process: process, page: page), [Bin.segments])
            segments.formUnion(record?[Bin.segments]?.map?.compactMap { $0.key.integer.map { Int($0) } } ?? [])
        }
        return segments.sorted()
    }
}

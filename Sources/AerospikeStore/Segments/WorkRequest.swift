import Aerospike
import BeanspikeCore
import NIOCore

/// A ``SegmentWork`` as it is sent: operations, the filter that they are sent under, and what each will answer.
struct WorkRequest: Sendable {
    private var operations: [Operation] = []
    let filter: Exp<Bool>
    private var answers: [Answer] = []
    /// Whether nobody looks at an answer.
    private var isSilent = true
    private let work: SegmentWork

    /// What an operation answers.
    private enum Answer {
        case nothing
        /// Slots that are there.
        case present
        /// How many jobs of this slot are there: one or none.
        case isPresent(Int)
        /// The ready jobs of the lowest ranks.
        case lowest
        case readyCount
        case jobCount
    }

    /// So many entries are written one by one, which keeps the map's index of ranks as it goes; more leave as one
    /// operation, after which the server sorts the index anew: as much work as some six entries make.
    private static let singlesMax = 6

    /// - Parameters:
    ///   - work: what is to be done.
    ///   - worker: who does it.
    ///   - sequence: the work's number.
    init(_ work: SegmentWork, by worker: SegmentWorker, sequence: Int64) {
        self.work = work
        filter = WorkConditions(work, worker, sequence).filter()
        operations.reserveCapacity(8)
        answers.reserveCapacity(8)
        var isUnsorted = false
        addUpdates(worker, &isUnsorted)
        addRemovals()
        addAppends(&isUnsorted)
        addPops(worker)
        addCounters()
        add(.put(worker.tokenBin, .integer(sequence)))
        // Entries written together leave the index of ranks to be filled by the next read, which would write into the
        // storage: a node that keeps its data in memory protects that, and ends. A read in the same call fills it before it
        // is stored (aerospike-server 8.1, base/particle_map.c, `map_add_items_ordered`).
        if isUnsorted { add(SegmentRecords.fillRanks) }
        if work.countsReady, !work.listsReady { add(SegmentRecords.countReady, .readyCount) }
        if work.countsJobs { add(SegmentRecords.jobs.size(), .jobCount) }
    }

    private mutating func add(_ operation: Operation, _ answer: Answer = .nothing) {
        operations.append(operation)
        answers.append(answer)
        if case .nothing = answer, operation.isWrite { return }
        isSilent = false
    }

    // MARK: - The operations

    private mutating func addUpdates(_ worker: SegmentWorker, _ isUnsorted: inout Bool) {
        guard !work.updates.isEmpty || !work.picks.isEmpty else { return }
        var entries = work.updates.sorted.map { (slot: $0.slot, entry: $0.value) }
        if entries.isEmpty {
            // Nothing is asked: that what is picked is there was known.
        } else if entries.count == 1 {
            let slot = entries[0].slot
            add(SegmentRecords.jobs.get(.key(.integer(Int64(slot))), returning: .count), .isPresent(slot))
        } else {
            let slots = entries.map { Value.integer(Int64($0.slot)) }
            add(SegmentRecords.jobs.get(.keys(in: slots), returning: .key), .present)
        }
        entries.reserveCapacity(entries.count + work.picks.count)
        for (slot, entry) in work.picks {
            entries.append((slot, entry.reserved(by: worker.process, nowMilliseconds: work.popMilliseconds)))
        }
        // A map that is sent whole is sent in the order of its keys.
        if entries.count > Self.singlesMax { entries.sort { $0.slot < $1.slot } }
        let written = entries
        write(written.count, flags: [.updateOnly, .noFail], &isUnsorted) {
            written[$0].entry.approximateBytes
        } packing: {
            written[$0].entry.pack(slot: written[$0].slot, into: &$1)
        }
    }

    private mutating func addRemovals() {
        guard !work.removals.isEmpty else { return }
        let slots = work.removals.sorted.map(\.slot)
        if slots.count == 1 {
            add(SegmentRecords.jobs.remove(.key(.integer(Int64(slots[0]))), returning: .count), .isPresent(slots[0]))
        } else {
            add(SegmentRecords.jobs.remove(.keys(in: slots.map { .integer(Int64($0)) }), returning: .key), .present)
        }
    }

    private mutating func addAppends(_ isUnsorted: inout Bool) {
        if !work.appends.isEmpty {
            let firstSlot = work.firstSlot
            let appends = work.appends
            write(appends.count, flags: [], &isUnsorted) {
                appends[$0].approximateBytes
            } packing: {
                appends[$0].pack(slot: firstSlot + $0, into: &$1)
            }
            add(.put(SegmentBin.nextSlot, .integer(Int64(work.firstSlot + work.appends.count))))
        }
        if work.closes { add(.put(SegmentBin.closed, 1)) }
    }

    /// Writes entries, each of which is packed by its number: none is copied on the way.
    private mutating func write(
        _ count: Int,
        flags: MapWriteFlags,
        _ isUnsorted: inout Bool,
        bytes: (Int) -> Int,
        packing pack: (Int, inout ByteBuffer) -> Void
    ) {
        guard count > Self.singlesMax else {
            let policy = MapWritePolicy(order: .keyValueOrdered, persistsIndex: true, flags: flags)
            for number in 0..<count {
                add(SegmentRecords.jobs.put(bytes: 32 + bytes(number), policy: policy) { pack(number, &$0) })
            }
            return
        }
        var flags = flags
        if flags.contains(.noFail) { flags.insert(.partial) }
        let policy = MapWritePolicy(order: .keyValueOrdered, persistsIndex: true, flags: flags)
        let whole = (0..<count).reduce(64) { $0 + 16 + bytes($1) }
        let put = SegmentRecords.jobs.put(count: count, bytes: whole, policy: policy) { buffer in
            for number in 0..<count { pack(number, &buffer) }
        }
        add(put)
        isUnsorted = true
    }

    private mutating func addPops(_ worker: SegmentWorker) {
        guard work.pops > 0 else { return }
        if work.listsReady {
            add(SegmentRecords.jobs.get(SegmentRecords.ready, returning: .keyValue), .lowest)
        } else {
            add(SegmentRecords.jobs.get(.ranks(from: 0, count: work.pops + 1), returning: .keyValue), .lowest)
        }
        let pop = worker.pop(work.popMilliseconds, work.popPriorityMax)
        for _ in 0..<work.pops { add(pop) }
    }

    private mutating func addCounters() {
        var counts = BodyCounts()
        for entry in work.appends { counts.add(entry.details) }
        for (slot, before) in work.replaced {
            counts.subtract(before)
            if let after = work.updates[slot]?.details { counts.add(after) }
        }
        for details in work.removals.values { counts.subtract(details) }
        counts.add(to: &operations)
        if work.timeouts != 0 { operations.append(.add(SegmentBin.timeouts, work.timeouts)) }
        for (kind, listing) in work.listings where listing.setsMark {
            operations.append(.put(SegmentBin.mark(kind), .list(Value.List(listing.key.elements(kind)))))
        }
        while answers.count < operations.count { answers.append(.nothing) }
    }

    // MARK: - As it is sent

    /// The call; where nobody looks at answers, one to which the server makes none.
    func call(on key: Key, policy: WritePolicy) -> RecordRequest {
        isSilent
            ? .write(key, operations, policy: policy)
            : .operate(key, operations, readPolicy: ReadPolicy(), writePolicy: policy)
    }

    // MARK: - The answer

    /// What came of a call to which nothing is answered.
    ///
    /// - Parameter generation: the record's, afterwards.
    /// - Returns: nil where answers are to be read.
    func silentOutcome(_ generation: UInt32) -> SegmentWork.Outcome? {
        guard isSilent else { return nil }
        var outcome = SegmentWork.Outcome()
        outcome.generation = generation
        outcome.popped = work.picks
        return outcome
    }

    /// Reads the answers; nil where they are not those of the request.
    func outcome(_ record: Record, segment: SegmentNumber) -> SegmentWork.Outcome? {
        if let outcome = silentOutcome(record.generation) { return outcome }
        var outcome = SegmentWork.Outcome()
        outcome.generation = record.generation
        outcome.popped = work.picks
        guard record.bins.count == answers.count else { return nil }
        for (answer, bin) in zip(answers, record.bins) {
            switch answer {
            case .nothing: continue
            case .present:
                guard case .list(let slots) = bin.value else { return nil }
                for slot in slots.compactMap(JobPlace.slot) { outcome.present.insert(slot) }
            case .isPresent(let slot):
                guard case .integer(let count) = bin.value else { return nil }
                if count > 0 { outcome.present.insert(slot) }
            case .lowest:
                guard case .map(let lowest) = bin.value, read(lowest, segment, &outcome) else { return nil }
            case .readyCount:
                guard case .integer(let count) = bin.value else { return nil }
                outcome.readyCount = Int(count)
            case .jobCount:
                guard case .integer(let count) = bin.value else { return nil }
                outcome.jobCount = Int(count)
            }
        }
        return outcome
    }

    private func read(_ lowest: Value.Map, _ segment: SegmentNumber, _ outcome: inout SegmentWork.Outcome) -> Bool {
        var ready: [(slot: Int, entry: JobEntry)] = []
        for (key, value) in lowest {
            guard let slot = JobPlace.slot(key), let entry = JobEntry(value) else { return false }
            if case .ready = entry.state { ready.append((slot, entry)) }
        }
        // A map's entries come in the order of its keys, not of their rank.
        ready.sort { $0.entry.order(slot: $0.slot) < $1.entry.order(slot: $1.slot) }
        outcome.popped = ready.prefix(work.pops).filter { $0.entry.details.priority <= work.popPriorityMax }
        // What is kept must not keep the buffer that it arrived in.
        for index in outcome.popped.indices { outcome.popped[index].entry.details.body.copy() }
        let left = ready.dropFirst(outcome.popped.count)
        if let next = left.first, case .ready(let priority) = next.entry.state {
            outcome.nextReady = ReadyKey(priority: priority, slot: next.slot, in: segment)
        }
        if work.listsReady {
            outcome.ready = Array(left)
            outcome.readyCount = left.count
        }
        return true
    }
}

/// How the counts of bodies change.
struct BodyCounts {
    private var used = 0
    private var saved = 0
    private var skipped = 0

    mutating func add(_ details: JobDetails) { count(details, 1) }

    mutating func subtract(_ details: JobDetails) { count(details, -1) }

    private mutating func count(_ details: JobDetails, _ sign: Int) {
        used += sign * details.body.count
        saved += sign * (details.originalBytes - details.body.count)
        skipped += sign * details.skippedBytes
    }

    /// Adds what changes the counts.
    func add(to operations: inout [Operation]) {
        if used != 0 { operations.append(.add(SegmentBin.usedBytes, used)) }
        if saved != 0 { operations.append(.add(SegmentBin.savedBytes, saved)) }
        if skipped != 0 { operations.append(.add(SegmentBin.skippedBytes, skipped)) }
    }
}

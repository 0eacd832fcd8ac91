import Aerospike
import BeanspikeCore
import NIOCore

/// What one process has to do to one segment, gathered to leave as one `operate`.
///
/// It is a value: it makes the operations and reads the answers; who sends them is ``SegmentRecords``. All of it happens or
/// nothing does. A repeat of it, or a late duplicate, does nothing, because each carries the process's next sequence.
struct SegmentWork: Sendable {
    /// Jobs to put, in order, into the slots from `firstSlot` on: refused where another has put there meanwhile.
    var appends: [JobEntry] = []
    var firstSlot = 0
    /// Nothing is to be put here afterwards.
    var closes = false
    /// Jobs that the process holds, as they are to be from now on.
    ///
    /// One that is gone stays gone.
    var updates: [Int: JobEntry] = [:]
    /// Jobs that the process holds and that are to be deleted, with their details.
    var removals: [Int: JobDetails] = [:]
    /// Among the updates, jobs that get another body, with the details that they had.
    var replaced: [Int: JobDetails] = [:]
    /// Entries among the updates and removals that the process does not hold: all of the work is refused unless they are
    /// still as they were seen.
    var expected: [Int: JobEntry] = [:]
    /// How many of the best ready jobs are to be reserved, if there are so many.
    var pops = 0
    /// No job of a greater priority value is reserved: another segment has a better one.
    var popPriorityMax = UInt32.max
    /// When they are reserved, by the cluster's clock.
    var popMilliseconds: Int64 = 0
    /// Reservations that ran out of time among the updates.
    var timeouts = 0
    /// What is to be listed for what becomes of the jobs, and how that is known: by the mark, or because it was listed
    /// when the mark's epoch was this, and then the mark is set.
    var listings: [DirectoryKind: Listing] = [:]

    var isEmpty: Bool { appends.isEmpty && updates.isEmpty && removals.isEmpty && pops == 0 && !closes }

    /// Whether all it does is to reserve: then it does nothing at all where nothing is ready.
    private var onlyPops: Bool { appends.isEmpty && updates.isEmpty && removals.isEmpty && !closes }

    /// The least key of a kind that the work makes.
    struct Listing: Sendable {
        var key: DirectoryKey
        /// Not nil where the directory was told, and the mark is to follow.
        var epoch: Int?
    }

    /// What it came to.
    struct Outcome: Sendable {
        /// Of the updates and removals, those whose job was still there.
        var present: Set<Int> = []
        /// The jobs reserved, best first, as they were before.
        var popped: [(slot: Int, entry: JobEntry)] = []
        /// The best job left ready; nil where none is, or nobody asked.
        var nextReady: ReadyKey?
        /// How many jobs are left ready, if any were popped.
        var readyCount = 0
        /// How many jobs are left in the segment, whatever their state.
        var jobCount = 0
    }

    static let jobs = Operation.map(SegmentBin.jobs)
    static let ordered = MapWritePolicy(order: .keyValueOrdered, persistsIndex: true)
    static let keepingGone = MapWritePolicy(
        order: .keyValueOrdered,
        persistsIndex: true,
        flags: [.updateOnly, .noFail, .partial]
    )

    static let countReady = jobs.get(.values(from: [0], upTo: [1]), returning: .count)

    // MARK: - The request

    /// The operations, with the guard that they are sent under.
    func request(process: ProcessNumber, sequence: Int64) -> (operations: [Operation], filter: Exp<Bool>) {
        var operations: [Operation] = []
        appendUpdates(to: &operations)
        appendAppends(to: &operations)
        appendPops(to: &operations, process)
        appendCounters(to: &operations)
        operations.append(
            .map(SegmentBin.tokens).put(
                .integer(Int64(process)),
                .integer(sequence),
                policy: MapWritePolicy(order: .keyOrdered)
            )
        )
        // Some writes leave the index of ranks to be filled by the next read, which would write into the storage: a node that
        // keeps its data in memory protects that, and ends. A read in the same call fills it before it is stored.
        operations.append(Self.jobs.get(.ranks(from: 0, count: 1), returning: .key))
        operations.append(Self.jobs.size())
        return (operations, filter(process, sequence))
    }

    private func filter(_ process: ProcessNumber, _ sequence: Int64) -> Exp<Bool> {
        var conditions = [Self.isNext(process, sequence)]
        if !appends.isEmpty || closes {
            conditions.append(.int(bin: SegmentBin.nextSlot) == Exp<Int>(firstSlot))
            conditions.append(!Exp<Bool>.exists(bin: SegmentBin.closed))
        }
        for (slot, entry) in expected.sorted(by: { $0.key < $1.key }) {
            conditions.append(Self.isStill(entry, at: slot))
        }
        for (kind, listing) in listings { conditions.append(Self.isListed(kind, listing)) }
        if onlyPops { conditions.append(Self.someReady) }
        return conditions.dropFirst().reduce(conditions[0]) { $0 && $1 }
    }

    /// Whether the process's last sequence here is lower.
    static func isNext(_ process: ProcessNumber, _ sequence: Int64) -> Exp<Bool> {
        let tokens = Exp<Value.Map>.map(bin: SegmentBin.tokens)
        let key = ExpMapItem.key(Exp<Int>(process))
        return !tokens.get(key, .exists) || tokens.get(key, .value(Int.self)) < Exp<Int>(Int(sequence))
    }

    /// Whether the directory lists the segment low enough.
    private static func isListed(_ kind: DirectoryKind, _ listing: Listing) -> Exp<Bool> {
        if let epoch = listing.epoch { return .int(bin: SegmentBin.epoch(kind)) == Exp<Int>(epoch) }
        let mark = Exp<Value.List>.list(bin: SegmentBin.mark(kind))
        let major = mark.get(.index(0), .value(Int.self))
        let key = listing.key
        guard kind.keyWidth == 2 else { return major <= Exp<Int>(Int(key.major)) }
        let minor = mark.get(.index(1), .value(Int.self))
        return major < Exp<Int>(Int(key.major))
            || (major == Exp<Int>(Int(key.major)) && minor <= Exp<Int>(Int(key.minor)))
    }

    /// Whether there is a mark of at least this key.
    static func isMarked(_ kind: DirectoryKind, from key: DirectoryKey) -> Exp<Bool> {
        let mark = Exp<Value.List>.list(bin: SegmentBin.mark(kind))
        let major = mark.get(.index(0), .value(Int.self))
        guard kind.keyWidth == 2 else { return major >= Exp<Int>(Int(key.major)) }
        let minor = mark.get(.index(1), .value(Int.self))
        return major > Exp<Int>(Int(key.major))
            || (major == Exp<Int>(Int(key.major)) && minor >= Exp<Int>(Int(key.minor)))
    }

    /// Whether an entry is in the state, and the place of its state, that it was seen in.
    private static func isStill(_ entry: JobEntry, at slot: Int) -> Exp<Bool> {
        let order = entry.order(slot: slot)
        let found = Exp<Value.Map>.map(bin: SegmentBin.jobs).list(at: [.mapKey(.integer(Int64(slot)))])
        return .all(
            found.get(.index(0), .value(Int.self)) == Exp<Int>(Int(order.0)),
            found.get(.index(1), .value(Int.self)) == Exp<Int>(Int(order.1)),
            found.get(.index(2), .value(Int.self)) == Exp<Int>(Int(order.2))
        )
    }

    /// Whether the least entry is that of a ready job.
    private static let someReady: Exp<Bool> =
        Exp<Value.Map>.map(bin: SegmentBin.jobs)
        .list(at: [.mapRank(0)]).get(.index(0), .value(Int.self)) == Exp<Int>(0)

    private func appendUpdates(to operations: inout [Operation]) {
        if !updates.isEmpty {
            let slots = updates.keys.sorted()
            operations.append(
                Self.jobs.get(.keys(in: slots.map { .integer(Int64($0)) }), returning: .key)
            )
            let entries = slots.compactMap { slot in
                updates[slot].map { (key: Value.integer(Int64(slot)), value: $0.value(slot: slot)) }
            }
            operations.append(Self.jobs.put(contentsOf: Self.map(entries), policy: Self.keepingGone))
        }
        if !removals.isEmpty {
            let slots = removals.keys.sorted().map { Value.integer(Int64($0)) }
            operations.append(Self.jobs.remove(.keys(in: slots), returning: .key))
        }
    }

    private func appendAppends(to operations: inout [Operation]) {
        guard !appends.isEmpty || closes else { return }
        if !appends.isEmpty {
            let entries = appends.enumerated().map { offset, entry in
                (key: Value.integer(Int64(firstSlot + offset)), value: entry.value(slot: firstSlot + offset))
            }
            operations.append(Self.jobs.put(contentsOf: Self.map(entries), policy: Self.ordered))
            operations.append(.put(SegmentBin.nextSlot, .integer(Int64(firstSlot + appends.count))))
        }
        if closes { operations.append(.put(SegmentBin.closed, 1)) }
    }

    private func appendPops(to operations: inout [Operation], _ process: ProcessNumber) {
        guard pops > 0 else { return }
        operations.append(Self.jobs.get(.ranks(from: 0, count: pops + 1), returning: .keyValue))
        let pop = Operation.write(
            Self.pop(process, popMilliseconds, popPriorityMax),
            to: SegmentBin.jobs,
            flags: [.evaluationNoFail]
        )
        for _ in 0..<pops { operations.append(pop) }
        operations.append(Self.countReady)
    }

    /// The map with its best job reserved; unknown where none is ready.
    private static func pop(
        _ process: ProcessNumber,
        _ milliseconds: Int64,
        _ priorityMax: UInt32
    ) -> Exp<Value.Map> {
        let jobs = Exp<Value.Map>.map(bin: SegmentBin.jobs)
        let best = jobs.list(at: [.mapRank(0)])
        let reserved = Exp<Value.List>([1, .integer(Int64(process)), .integer(milliseconds)])
            .appending(best.get(.index(3), .value(ByteBuffer.self)))
        let isReady = best.get(.index(0), .value(Int.self)) == Exp<Int>(0)
        let isGoodEnough =
            priorityMax == .max
            ? isReady : isReady && best.get(.index(1), .value(Int.self)) <= Exp<Int>(Int(priorityMax))
        return .cond(
            (
                when: isGoodEnough,
                then: jobs.putting(jobs.get(.rank(0), .key(Int.self)), reserved, policy: ordered)
            ),
            otherwise: .unknown
        )
    }

    private func appendCounters(to operations: inout [Operation]) {
        var used = 0
        var whole = 0
        var skipped = 0
        for entry in appends { Self.count(entry.details, 1, &used, &whole, &skipped) }
        for (slot, before) in replaced {
            Self.count(before, -1, &used, &whole, &skipped)
            if let after = updates[slot]?.details { Self.count(after, 1, &used, &whole, &skipped) }
        }
        for details in removals.values { Self.count(details, -1, &used, &whole, &skipped) }
        for (bin, amount) in [
            (SegmentBin.usedBytes, used), (SegmentBin.bodyBytes, whole), (SegmentBin.skippedBytes, skipped),
            (SegmentBin.deleted, removals.count), (SegmentBin.timeouts, timeouts),
        ] where amount != 0 {
            operations.append(.add(bin, amount))
        }
        for (kind, listing) in listings where listing.epoch != nil {
            operations.append(
                .put(SegmentBin.mark(kind), .list(Value.List(listing.key.elements(kind))))
            )
        }
    }

    private static func count(
        _ details: JobDetails,
        _ sign: Int,
        _ used: inout Int,
        _ whole: inout Int,
        _ skip: inout Int
    ) {
        used += sign * details.body.count
        whole += sign * details.originalBytes
        skip += sign * details.skippedBytes
    }

    static func map(_ entries: [(key: Value, value: Value)]) -> Value.Map {
        var map = Value.Map(entries)
        map.order = .keyOrdered
        return map
    }

    /// Whether a job that the process has reserved now may have been reserved by this work.
    ///
    /// Of the slots that the process held before, those that the work gives up it may reserve again.
    func mayHavePopped(_ slot: Int, held: Set<Int>) -> Bool {
        guard let update = updates[slot] else { return !held.contains(slot) }
        return update.state.kind != .reserved
    }

    // MARK: - The answer

    /// Reads the answers; nil where they are not those of the request.
    func outcome(_ record: Record, segment: SegmentNumber) -> Outcome? {
        var answers = record.bins.map(\.value)[...]
        var outcome = Outcome()
        if !updates.isEmpty {
            guard case .list(let slots)? = answers.popFirst(), answers.popFirst() != nil else { return nil }
            for case .integer(let slot) in slots { outcome.present.insert(Int(slot)) }
        }
        if !removals.isEmpty {
            guard case .list(let slots)? = answers.popFirst() else { return nil }
            for case .integer(let slot) in slots { outcome.present.insert(Int(slot)) }
        }
        answers = answers.dropFirst((appends.isEmpty ? 0 : 2) + (closes ? 1 : 0))
        if pops > 0 {
            guard case .map(let lowest)? = answers.popFirst(), read(lowest, segment, &outcome) else { return nil }
            answers = answers.dropFirst(pops)
            guard case .integer(let count)? = answers.popFirst() else { return nil }
            outcome.readyCount = Int(count)
        }
        // What counters, marks and the token answer is of no use; the size comes last.
        guard case .integer(let count)? = answers.last else { return nil }
        outcome.jobCount = Int(count)
        return outcome
    }

    private func read(_ lowest: Value.Map, _ segment: SegmentNumber, _ outcome: inout Outcome) -> Bool {
        var ready: [(slot: Int, entry: JobEntry)] = []
        for (key, value) in lowest {
            guard case .integer(let slot) = key, let entry = JobEntry(value) else { return false }
            if case .ready = entry.state { ready.append((Int(slot), entry)) }
        }
        // A map's entries come in the order of its keys, not of their rank.
        ready.sort { $0.entry.order(slot: $0.slot) < $1.entry.order(slot: $1.slot) }
        outcome.popped = ready.prefix(pops).filter { $0.entry.details.priority <= popPriorityMax }
        if let next = ready.dropFirst(outcome.popped.count).first, case .ready(let priority) = next.entry.state {
            outcome.nextReady = ReadyKey(
                priority: priority,
                id: JobPlace(segment: segment, slot: next.slot).id
            )
        }
        return true
    }
}

// MARK: - What it makes

extension SegmentWork {
    /// The least key of each kind that the work makes; ready jobs that are put need none (see ``SegmentRecords/raiseMark``).
    func keysMade(in segment: SegmentNumber) -> [DirectoryKind: DirectoryKey] {
        var keys: [DirectoryKind: DirectoryKey] = [:]
        func note(_ kind: DirectoryKind, _ key: DirectoryKey) { keys[kind] = min(keys[kind] ?? key, key) }
        for (slot, entry) in updates {
            switch entry.state {
            case .ready(let priority):
                note(.ready, .ready(priority: priority, job: JobPlace(segment: segment, slot: slot).id))
            case .delayed(let due): note(.wake, .time(due))
            case .buried(let at): note(.buried, .time(at))
            case .reserved: break
            }
        }
        for entry in appends {
            if case .delayed(let due) = entry.state { note(.wake, .time(due)) }
        }
        return keys
    }
}

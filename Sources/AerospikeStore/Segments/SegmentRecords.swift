import Aerospike
import BeanspikeCore
import NIOCore
import Synchronization

/// The calls to segment records.
///
/// Each returns when its outcome is known, however many tries that takes.
final class SegmentRecords: Sendable {
    let client: AerospikeClient
    let layout: StoreLayout
    /// Whether no call is to be tried again: nobody waits for it any more.
    let isOver = Atomic(false)

    init(client: AerospikeClient, layout: StoreLayout) {
        self.client = client
        self.layout = layout
    }

    static let jobs = Operation.map(SegmentBin.jobs)
    /// The ready jobs.
    static let ready = MapSelector.values(from: [0], upTo: [1])
    static let countReady = jobs.get(ready, returning: .count)
    /// A read by rank, whose answer nobody looks at.
    static let fillRanks = jobs.get(.ranks(from: 0, count: 1), returning: .key)

    /// The last process that something was done for: nearly always the same.
    private let lastWorker = Mutex<SegmentWorker?>(nil)

    private func worker(_ process: ProcessNumber) -> SegmentWorker {
        lastWorker.withLock { last in
            if let last, last.process == process { return last }
            let worker = SegmentWorker(process)
            last = worker
            return worker
        }
    }

    func key(_ segment: SegmentNumber) -> Key { layout.segmentKey(segment) }

    /// What became of a ``SegmentWork``.
    enum Performed: Sendable {
        case applied(SegmentWork.Outcome)
        /// Nothing of it happened, or will: its guard did not hold.
        case refused
        /// Nothing of it happened, or will: its tries failed, and it needs another number.
        case prevented
        /// There is no such segment: it is over.
        case gone
    }

    /// Works that were sent behind another before its outcome was known; none of them was done unless that one was.
    struct LaterWorks: Sendable {
        var sequences: Set<Int64> = []
        /// Slots of jobs that they are known to have reserved.
        var reserved = SlotSet()

        mutating func add(_ flight: Flight) {
            sequences.insert(flight.sequence)
            if case .success(let outcome) = flight.result { reserved.formUnion(SlotSet(outcome.popped.map(\.slot))) }
        }
    }

    // MARK: - Changing

    /// Makes the records of new segments, with one message to each node.
    ///
    /// The directory must list a segment already when its first job is put.
    ///
    /// - Returns: those that were made; of the others' numbers there are records. They may be others': a cluster that lost the
    ///   last of what it had acknowledged gives numbers twice.
    func create(_ segments: [NewSegment], tube: TubeName) async throws(AerospikeError) -> [NewSegment] {
        var made: [NewSegment] = []
        var open = segments
        return try await persistently { (_) throws(AerospikeError) in
            let tried = open
            let answers = try await client.batch(tried.map { creation($0, tube) })
            open = []
            var failure: AerospikeError?
            for (segment, answer) in zip(tried, answers) {
                switch answer {
                case .success: made.append(segment)
                case .failure(let error) where error.code == .recordExists:
                    // Perhaps of an earlier try of this very call: a number is lost then, which is no harm.
                    continue
                case .failure(let error):
                    open.append(segment)
                    failure = error
                }
            }
            if let failure { throw failure }
            return made
        }
    }

    private func creation(_ segment: NewSegment, _ tube: TubeName) -> BatchCall {
        var policy = WritePolicy()
        policy.exists = .createOnly
        let operations: [Operation] = [
            .put(SegmentBin.tube, .string(tube.description)), .put(SegmentBin.nextSlot, 0),
            .put(SegmentBin.position, .integer(Int64(segment.position))),
            .put(SegmentBin.mark(.ready), .list(Value.List(segment.key.elements(.ready)))),
            .put(SegmentBin.epoch(.ready), 0), .put(SegmentBin.epoch(.wake), 0), .put(SegmentBin.epoch(.buried), 0),
            Self.jobs.create(order: .keyValueOrdered, persistsIndex: true),
        ]
        return .operate(key(segment.segment), operations, policy: policy)
    }

    /// Does the work, or finds that it cannot be done.
    ///
    /// The sequence is greater than that of all works of this process on this segment before; one is done after the other. By
    /// the slots that the process holds here already an answer that was lost is found out.
    /// A first try may have been made already, see ``send(_:to:_:process:sequence:connection:_:)``: `failure` is what it came
    /// to, and `later` are the works that were sent behind it.
    func perform(
        _ work: SegmentWork,
        on segment: SegmentNumber,
        process: ProcessNumber,
        sequence: Int64,
        held: SlotSet,
        after failure: AerospikeError? = nil,
        later: LaterWorks = LaterWorks()
    ) async throws(AerospikeError) -> Performed {
        let request = WorkRequest(work, by: worker(process), sequence: sequence)
        let policy = Self.guarded(by: request.filter)
        var failure = failure
        return try await persistently(untilKnown: true) { (wasInDoubt) throws(AerospikeError) in
            do throws(AerospikeError) {
                if let first = failure.take() { throw first }
                let record = try await client.make(request.call(on: key(segment), policy: policy))
                guard let outcome = request.outcome(record, segment: segment) else { throw Self.unreadable(segment) }
                return .applied(outcome)
            } catch {
                switch error.code {
                case .filteredOut:
                    guard wasInDoubt else { return .refused }
                    if try await seal(segment, process: process, sequence: sequence) { return .prevented }
                    return try await recover(work, segment, process: process, sequence, held: held, later)
                case .notFound: return .gone
                default: throw error
                }
            }
        }
    }

    /// Makes one try of a work, and tells a function what came of it; ``perform(_:on:process:sequence:held:after:later:)``
    /// goes on from a failure.
    ///
    /// - Parameters:
    ///   - work: what is to be done.
    ///   - place: the segment's key.
    ///   - segment: the segment.
    ///   - process: who does it.
    ///   - sequence: the work's number.
    ///   - connection: by which the work before it went, if that is under way: it gets there first then.
    ///   - completion: is told on the engine's event loop, perhaps before this returns.
    /// - Returns: the connection by which it went; nil if there was none.
    @discardableResult
    func send(
        _ work: SegmentWork,
        to place: Key,
        _ segment: SegmentNumber,
        process: ProcessNumber,
        sequence: Int64,
        connection: NodeConnection? = nil,
        _ completion: @escaping @Sendable (Result<SegmentWork.Outcome, AerospikeError>) -> Void
    ) -> NodeConnection? {
        let request = WorkRequest(work, by: worker(process), sequence: sequence)
        var policy = Self.guarded(by: request.filter)
        if let generation = work.generation { policy.generation = .equal(generation) }
        let sent = request.call(on: place, policy: policy)
        return client.tryOnce(sent, by: connection) { result in
            do throws(AerospikeError) {
                let message = try result.get()
                if let outcome = request.silentOutcome(message.header.generation) {
                    return completion(.success(outcome))
                }
                let record: Record
                do throws(AerospikeError) {
                    record = try message.record(answering: sent)
                } catch {
                    // It was done, and the reply cannot be read: what it did is found out as for a reply that was lost.
                    throw error.adding(inDoubt: true)
                }
                guard let outcome = request.outcome(record, segment: segment) else { throw Self.unreadable(segment) }
                completion(.success(outcome))
            } catch {
                completion(.failure(error))
            }
        }
    }

    /// Sees to it that no try of a work that is in doubt takes effect any more.
    ///
    /// - Returns: false if one did before.
    private func seal(
        _ segment: SegmentNumber,
        process: ProcessNumber,
        sequence: Int64
    ) async throws(AerospikeError) -> Bool {
        do throws(AerospikeError) {
            let policy = Self.guarded(by: worker(process).filter(sequence))
            let token = Operation.put(SegmentBin.token(process), .integer(sequence + 1))
            _ = try await client.operate(key(segment), [token], policy: policy)
            return true
        } catch  where error.code == .filteredOut {
            return false
        }
    }

    /// What a work did whose answer was lost.
    private func recover(
        _ work: SegmentWork,
        _ segment: SegmentNumber,
        process: ProcessNumber,
        _ sequence: Int64,
        held: SlotSet,
        _ later: LaterWorks
    ) async throws(AerospikeError) -> Performed {
        guard let state = try await read(segment) else { return .gone }
        // An earlier try of the seal has a number of its own; a fence is no work of ours.
        guard let last = state.tokens[process], last == sequence || later.sequences.contains(last) else {
            return state.tokens[process] == .max ? .refused : .prevented
        }
        var outcome = SegmentWork.Outcome()
        // A job that this process held, or that was as it was seen, was there: who changed it since came later.
        outcome.present = work.updates.slots
        outcome.present.formUnion(work.removals.slots)
        var ready: [ReadyKey] = []
        for (slot, entry) in state.entries {
            switch entry.state {
            case .reserved(process, _) where !later.reserved.contains(slot) && work.mayHavePopped(slot, held: held):
                // As it was before: the priority is in the details too.
                var before = entry
                before.state = .ready(priority: entry.details.priority)
                outcome.popped.append((slot, before))
            case .ready(let priority):
                ready.append(ReadyKey(priority: priority, slot: slot, in: segment))
            default: break
            }
        }
        outcome.popped.sort {
            ($0.entry.details.priority, $0.slot) < ($1.entry.details.priority, $1.slot)
        }
        outcome.nextReady = ready.min()
        outcome.readyCount = ready.count
        outcome.jobCount = state.entries.count
        return .applied(outcome)
    }

    /// Makes the dead process's work here impossible, and tells what it held.
    func fence(
        _ segment: SegmentNumber,
        against process: ProcessNumber
    ) async throws(AerospikeError) -> SegmentState? {
        let token = Operation.put(SegmentBin.token(process), .integer(.max))
        return try await persistently { (_) throws(AerospikeError) in
            do throws(AerospikeError) {
                let policy = Self.guarded(by: worker(process).filter(.max))
                _ = try await client.operate(key(segment), [token], policy: policy)
            } catch  where error.code == .filteredOut {
                // Somebody was here before.
            } catch  where error.code == .notFound {
                return nil
            }
            return try await read(segment)
        }
    }

    /// Raises or clears a mark, if there is nothing that it is for; then the directory's entry, which was read before, may
    /// be raised.
    ///
    /// Nothing of the kind may have a lesser key; with nil there may be nothing at all, and the mark goes. Tells whether it was
    /// so.
    func raiseMark(
        _ kind: DirectoryKind,
        of segment: SegmentNumber,
        to key: DirectoryKey?
    ) async throws(AerospikeError) -> Bool {
        let state = kind.jobState
        let first = Value.List([.integer(state)])
        let end = Value.List(key.map { [.integer(state)] + Self.elements($0, kind, segment) } ?? [.integer(state + 1)])
        var condition =
            Exp<Value.Map>.map(bin: SegmentBin.jobs)
            .get(.values(from: Exp<Value.List>(first), upTo: Exp<Value.List>(end)), .count) == Exp<Int>(0)
        // What still takes jobs stays listed lowest, so that a put never has to list it.
        if kind == .ready { condition = condition && Exp<Bool>.exists(bin: SegmentBin.closed) }
        if let key {
            // A raise sets no mark where there is none, and lowers none.
            let isLess = !Self.isMarked(kind, from: key)
            condition = condition && Exp<Bool>.exists(bin: SegmentBin.mark(kind)) && isLess
        }
        let mark: Value = key.map { .list(Value.List($0.elements(kind))) } ?? Value.null
        do throws(AerospikeError) {
            _ = try await client.operate(
                self.key(segment),
                [.put(SegmentBin.mark(kind), mark), .add(SegmentBin.epoch(kind), 1)],
                policy: Self.guarded(by: condition)
            )
            return true
        } catch  where error.code == .filteredOut || error.code == .notFound {
            return false
        }
    }

    /// Whether there is a mark of at least this key.
    private static func isMarked(_ kind: DirectoryKind, from key: DirectoryKey) -> Exp<Bool> {
        let mark = Exp<Value.List>.list(bin: SegmentBin.mark(kind))
        let major = mark.get(.index(0), .value(Int.self))
        guard kind.keyWidth == 2 else { return major >= Exp<Int>(Int(key.major)) }
        let minor = mark.get(.index(1), .value(Int.self))
        return major > Exp<Int>(Int(key.major))
            || (major == Exp<Int>(Int(key.major)) && minor >= Exp<Int>(Int(key.minor)))
    }

    /// A directory's key as the elements behind the state of an entry in a segment.
    private static func elements(_ key: DirectoryKey, _ kind: DirectoryKind, _ segment: SegmentNumber) -> [Value] {
        guard kind == .ready else { return [.integer(key.major)] }
        return [.integer(key.major), .integer(key.minor - Int64(JobPlace.firstID(of: segment)))]
    }

    /// Deletes the record of a segment that the directory no longer lists.
    func delete(_ segment: SegmentNumber) async throws(AerospikeError) {
        _ = try await client.delete(key(segment))
    }

    // MARK: - Reading

    /// The whole segment; nil where there is none.
    func read(_ segment: SegmentNumber) async throws(AerospikeError) -> SegmentState? {
        try await persistently(failuresMax: Self.readsMax) { (_) throws(AerospikeError) in
            guard let record = try await client.get(key(segment)) else { return nil }
            guard let state = SegmentState(record) else { throw Self.unreadable(segment) }
            return state
        }
    }

    /// How often something is read that cannot be, as while a node is gone and the others have not taken over.
    static let readsMax = 8

    /// What a segment is listed under.
    func marks(_ segment: SegmentNumber) async throws(AerospikeError) -> SegmentMarks? {
        do throws(AerospikeError) {
            let record = try await client.operate(key(segment), SegmentMarks.reads)
            return SegmentMarks(record.bins.map(\.value)[...])
        } catch  where error.code == .notFound {
            return nil
        }
    }

    /// Some entries of a segment, and whose it is.
    func read(
        _ segment: SegmentNumber,
        _ selector: MapSelector
    ) async throws(AerospikeError) -> SegmentSlice? {
        let operations: [Operation] = [
            .get(SegmentBin.tube), .get(SegmentBin.position), Self.jobs.get(selector, returning: .keyValue),
        ]
        return try await persistently(failuresMax: Self.readsMax) { (_) throws(AerospikeError) in
            do throws(AerospikeError) {
                let record = try await client.operate(key(segment), operations)
                return SegmentSlice(record)
            } catch  where error.code == .notFound {
                return nil
            }
        }
    }

    // MARK: - Trying again

    private static func guarded(by filter: Exp<Bool>) -> WritePolicy {
        var policy = WritePolicy()
        policy.exists = .updateOnly
        policy.filter = filter
        return policy
    }

    private static func unreadable(_ segment: SegmentNumber) -> AerospikeError {
        AerospikeError(.client, "Segment \(segment) has entries that this version does not know.")
    }

    /// Tries again while another try can help, so many times at most where none is in doubt.
    ///
    /// With `untilKnown` it goes on, whatever the error, once a try is in doubt: only another try can tell then what became of
    /// it. What may as well happen twice ends with an error that is certain.
    func persistently<T>(
        untilKnown: Bool = false,
        failuresMax: Int = 40,
        _ body: (_ wasInDoubt: Bool) async throws(AerospikeError) -> T
    ) async throws(AerospikeError) -> T {
        var wasInDoubt = false
        var failures = 0
        while true {
            do throws(AerospikeError) {
                return try await body(wasInDoubt)
            } catch {
                wasInDoubt = wasInDoubt || error.inDoubt
                failures += 1
                let isWorthIt = error.inDoubt || error.code.isTransient || untilKnown && wasInDoubt
                guard isWorthIt, error.code != .cancelled, !isOver.load(ordering: .relaxed) else { throw error }
                if !wasInDoubt, failures >= failuresMax { throw error }
                let milliseconds = min(500, 5 << min(failures, 7))
                try? await Task.sleep(for: .milliseconds(Int.random(in: milliseconds / 2...milliseconds)))
                if Task.isCancelled { throw error }
            }
        }
    }
}

extension DirectoryKind {
    /// The first element of the entries that it is about.
    fileprivate var jobState: Int64 {
        switch self {
        case .ready: 0
        case .wake: 2
        case .buried: 3
        }
    }
}

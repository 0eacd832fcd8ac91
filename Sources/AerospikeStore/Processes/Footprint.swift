import Aerospike
import BeanspikeCore
import Synchronization

/// The segments that a process has written down as those from which it may reserve; one write at a time.
final class Footprint: Sendable {
    private struct State: Sendable {
        var plan = FootprintPlan()
        var isWriting = false
        var isOver = false
        /// Segments that wait for the write under way, to leave together in the next.
        var wanted: Set<Int> = []
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private enum Step {
        case done
        case over
        case full
        case wait
        case write(FootprintPlan.Write)
    }

    let process: Int
    private let nonce: [UInt8]
    private let records: ProcessRecords
    private let state = Mutex(State())

    init(process: Int, nonce: [UInt8], records: ProcessRecords) {
        self.process = process
        self.nonce = nonce
        self.records = records
    }

    /// Whether the process may reserve from a segment.
    func isEntered(_ segment: Int) -> Bool {
        state.withLock { !$0.isOver && $0.plan.isEntered(segment) }
    }

    /// Whether the process may reserve from a segment: if it is written down, it stays so from now on.
    func use(_ segment: Int) -> Bool {
        state.withLock { !$0.isOver && ($0.plan.isEntered(segment) || $0.plan.use([segment]).isEmpty) }
    }

    /// Takes note that nothing of a segment is held any more.
    func leave(_ segment: Int) {
        state.withLock { $0.plan.leave(segment) }
    }

    /// Ends the process: no segment is entered any more.
    func end() {
        let waiters = state.withLock { state in
            state.isOver = true
            defer { state.waiters = [] }
            return state.waiters
        }
        waiters.forEach { $0.resume() }
    }

    var isOver: Bool { state.withLock { $0.isOver } }

    /// Writes segments down; those that meet leave together.
    func enter(_ segments: [Int]) async throws(JobStoreError) {
        while true {
            switch state.withLock({ Self.step(&$0, segments) }) {
            case .done: return
            case .over: throw .processIsDead
            case .full:
                throw JobStoreError(
                    .limitReached,
                    """
                    This process holds jobs of \(FootprintPlan.pagesMax * StoreLimits.footprintPageSegments) segments, \
                    and cannot reserve from more: delete, release or bury some first.
                    """
                )
            case .wait: await waitForWrite()
            case .write(let write): try await carryOut(write)
            }
        }
    }

    private static func step(_ state: inout State, _ segments: [Int]) -> Step {
        guard !state.isOver else { return .over }
        let missing = state.plan.use(segments)
        guard !missing.isEmpty else { return .done }
        guard !state.isWriting else {
            state.wanted.formUnion(missing)
            return .wait
        }
        let others = state.plan.use(Array(state.wanted)).filter { !missing.contains($0) }
        state.wanted = []
        guard let write = state.plan.write(for: missing + others) else { return .full }
        state.isWriting = true
        return .write(write)
    }

    private func waitForWrite() async {
        await withCheckedContinuation { continuation in
            let isWriting = state.withLock { state in
                guard state.isWriting, !state.isOver else { return false }
                state.waiters.append(continuation)
                return true
            }
            if !isWriting { continuation.resume() }
        }
    }

    private func carryOut(_ write: FootprintPlan.Write) async throws(JobStoreError) {
        do throws(AerospikeError) {
            var isAlive = true
            if write.isNew {
                isAlive = try await records.makePage(write.page, of: process, nonce: nonce)
            }
            if isAlive {
                isAlive = try await records.write(write, of: process, nonce: nonce)
            }
            finished(write, isDone: isAlive)
            if !isAlive {
                end()
                throw AerospikeError(.notApplicable)
            }
        } catch {
            guard !isOver else { throw .processIsDead }
            finished(write, isDone: false)
            throw JobStoreError(writingProcess: error)
        }
    }

    private func finished(_ write: FootprintPlan.Write, isDone: Bool) {
        let waiters = state.withLock { state in
            state.plan.finished(write, isDone: isDone)
            state.isWriting = false
            defer { state.waiters = [] }
            return state.waiters
        }
        waiters.forEach { $0.resume() }
    }
}

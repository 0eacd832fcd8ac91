import BeanspikeCore
import Synchronization

/// A ``JobStorePort`` shared by any number of tasks.
///
/// Who asks for something puts it in the inbox; the first who does so while nobody is at it *combines*: it hands all that is
/// in the inbox to the port, flushes once, and gives out the replies, until the inbox is empty. So calls that meet share a
/// flush (on disk one commit, on a cluster one round trip), the port is used by one thread at a time, and no lock is held
/// while the store works or a caller is resumed. Replies that come later are given out where the store says that they are
/// there. The pump, the one task of a link, combines where neither a caller nor the store should go on with it, on the store's
/// executor (``JobStore/executor``).
final class StoreLink: Sendable {
    private enum Event: Sendable {
        case submit(Call, Lane, CallContinuation)
        /// Ends a call that nobody wants any more, with the session that it is in.
        case abandon(Call, Lane)
        case close(Lane)
    }

    private struct State {
        var inbox: [Event] = []
        /// Whether the port has replies that nobody collected.
        var hasReplies = false
        var isCombining = false
        /// Whether who combined has left the rest to the pump.
        var isHandedOver = false
        var isPumpWoken = false
        var pump: CheckedContinuation<Void, Never>?
        var isClosed = false
    }

    /// What only who combines uses.
    ///
    /// `@unchecked Sendable`: `isCombining` is taken and given back under the lock.
    private final class Desk: @unchecked Sendable {
        var batch = ReplyBatch()
        var lanes: [SessionID: Lane] = [:]
        var finished: [Call] = []
        var failed: [Call] = []
        /// What was taken out of the inbox; its room is the next inbox's.
        var events: [Event] = []
        var isClosed = false
    }

    /// The room of so many calls is kept.
    private static let keptEventsMax = 1_024

    /// So many rounds a caller combines for others before it leaves that to the pump.
    private static let roundsMax = 16

    private let state = Mutex(State())
    private let desk = Desk()
    private let port: any JobStorePort
    private let signal: Signal
    private let pumping: Mutex<Task<Void, Never>?>

    /// Breaks the cycle between the port, which calls, and the link, which owns it.
    private final class Signal: Sendable {
        /// A struct of our own: each look at a function in a generic one wraps it once more.
        private struct Target: Sendable {
            weak var link: StoreLink?
        }

        private let target = Mutex(Target())
        func set(_ link: StoreLink?) { target.withLock { $0.link = link } }
        func wake() { target.withLock { $0.link }?.repliesCame() }
    }

    init(_ store: any JobStore) {
        let signal = Signal()
        self.signal = signal
        port = store.makePort(wake: { signal.wake() })
        pumping = Mutex(nil)
        signal.set(self)
        // Owned by the link, and ended by `close`.
        let task = Task(executorPreference: store.executor) { [weak self] in
            while let link = self, await link.pumpIsWoken() {}
        }
        pumping.withLock { $0 = task }
    }

    // MARK: - Calls

    /// Runs commands on a lane; the replies come in their order.
    ///
    /// - Parameters:
    ///   - call: what to run.
    ///   - lane: where; nothing else may run there that waits.
    /// - Returns: the replies.
    /// - Throws: ``BeanspikeError/Code/closed``
    func run(_ call: Call, on lane: Lane) async throws -> [Answer] {
        #if DEBUG
            try await withCheckedThrowingContinuation { enqueue(.submit(call, lane, $0)) }
        #else
            try await withUnsafeThrowingContinuation { enqueue(.submit(call, lane, $0)) }
        #endif
    }

    /// Runs commands on a lane that is given up when the caller is cancelled: what it held goes back to the queue.
    ///
    /// - Throws: ``BeanspikeError/Code/closed``, or `CancellationError`.
    func runCancellable(_ call: Call, on lane: Lane) async throws -> [Answer] {
        try await withTaskCancellationHandler {
            try await run(call, on: lane)
        } onCancel: {
            enqueue(.abandon(call, lane))
        }
    }

    /// Ends a lane; jobs that are held on it go back to the queue.
    func close(_ lane: Lane) { enqueue(.close(lane)) }

    /// Ends all lanes and the pump.
    func close() async {
        let isFirst = state.withLock { state in
            let isFirst = !state.isClosed
            state.isClosed = true
            return isFirst
        }
        guard isFirst else { return }
        wakePump()
        await pumping.withLock { $0 }?.value
        signal.set(nil)
    }

    /// Ends all lanes and the pump, some time soon.
    func stop() {
        state.withLock { $0.isClosed = true }
        wakePump()
    }

    // MARK: - Combining

    private func enqueue(_ event: Event) {
        let isMine = state.withLock { state in
            state.inbox.append(event)
            if state.isCombining { return false }
            state.isCombining = true
            return true
        }
        if isMine { combine(roundsMax: Self.roundsMax) }
    }

    /// Gives out what the port has, right where the store says so; what has gathered meanwhile is left to the pump.
    private func repliesCame() {
        let isMine = state.withLock { state in
            state.hasReplies = true
            if state.isCombining { return false }
            state.isCombining = true
            return true
        }
        guard isMine else { return }
        for _ in 0..<Self.roundsMax {
            state.withLock { $0.hasReplies = false }
            giveOut()
            let isDone = state.withLock { state in
                guard !state.hasReplies, state.inbox.isEmpty else { return false }
                state.isCombining = false
                return true
            }
            if isDone { return }
            if state.withLock({ !$0.inbox.isEmpty }) { break }
        }
        // Not here: the store may be in the middle of something, and may not be asked for more.
        state.withLock { $0.isHandedOver = true }
        wakePump()
    }

    private func combine(roundsMax: Int) {
        var rounds = 0
        while true {
            let goesOn = state.withLock { state in
                guard !state.inbox.isEmpty || state.hasReplies else {
                    state.isCombining = false
                    return false
                }
                if rounds >= roundsMax {
                    state.isHandedOver = true
                    return false
                }
                state.hasReplies = false
                swap(&state.inbox, &desk.events)
                return true
            }
            guard goesOn else { break }
            rounds += 1
            perform(desk.events)
            desk.events.removeAll(keepingCapacity: desk.events.count <= Self.keptEventsMax)
        }
        if rounds >= roundsMax { wakePump() }
    }

    private func perform(_ events: [Event]) {
        for event in events {
            switch event {
            case .submit(let call, let lane, let continuation): submit(call, lane, continuation)
            case .abandon(let call, let lane):
                guard !call.isOver else { continue }
                call.isOver = true
                close(lane, failing: call)
            case .close(let lane): close(lane, failing: nil)
            }
        }
        port.flush()
        giveOut()
    }

    /// Collects the port's replies, and resumes whoever waits for them.
    private func giveOut() {
        port.collect(into: &desk.batch)
        dispatch()
        for call in desk.finished { call.finish() }
        for call in desk.failed { call.fail(desk.isClosed ? BeanspikeError.closed : CancellationError()) }
        desk.finished.removeAll(keepingCapacity: true)
        desk.failed.removeAll(keepingCapacity: true)
    }

    private func submit(_ call: Call, _ lane: Lane, _ continuation: CallContinuation) {
        if call.isOver { return continuation.resume(throwing: CancellationError()) }
        if lane.isClosed || desk.isClosed {
            call.isOver = true
            return continuation.resume(throwing: BeanspikeError.closed)
        }
        if let session = lane.session {
            call.begin(continuation, preparations: 0)
            lane.append(call)
            call.bytes.withUnsafeBytes { port.submit(call.commands, bytes: $0, session: session) }
            return
        }
        let session = port.openSession()
        lane.session = session
        desk.lanes[session] = lane
        let preparation = lane.preparation
        call.begin(continuation, preparations: preparation.count)
        lane.append(call)
        call.bytes.withUnsafeBytes { port.submit(preparation + call.commands, bytes: $0, session: session) }
    }

    private func close(_ lane: Lane, failing call: Call?) {
        guard !lane.isClosed else { return }
        lane.isClosed = true
        if let session = lane.session {
            desk.lanes[session] = nil
            port.closeSession(session)
        }
        desk.failed += lane.takeAll()
        if let call, !desk.failed.contains(where: { $0 === call }) { desk.failed.append(call) }
    }

    /// Gives the replies to their calls.
    private func dispatch() {
        guard !desk.batch.entries.isEmpty else { return }
        for entry in desk.batch.entries {
            guard let lane = desk.lanes[entry.session], let call = lane.takeFirst() else { continue }
            var answer = Answer(reply: entry.reply)
            if let range = entry.reply.body {
                answer.body = Array(desk.batch.bytes[range.offset..<range.offset + range.count])
            }
            if call.take(answer) { desk.finished.append(call) }
        }
        desk.batch.removeAll()
    }

    // MARK: - The pump

    private func wakePump() {
        let waiting = state.withLock { state in
            state.isPumpWoken = true
            let waiting = state.pump
            state.pump = nil
            return waiting
        }
        waiting?.resume()
    }

    /// Waits until there is something to combine, and does it.
    ///
    /// - Returns: false when the link is closed.
    private func pumpIsWoken() async -> Bool {
        await withCheckedContinuation { continuation in
            let isDue = state.withLock { state in
                if state.isPumpWoken { return true }
                state.pump = continuation
                return false
            }
            if isDue { continuation.resume() }
        }
        let (isMine, isClosed) = state.withLock { state in
            state.isPumpWoken = false
            if state.isHandedOver {
                state.isHandedOver = false
                return (true, state.isClosed)
            }
            guard !state.isCombining else { return (false, state.isClosed) }
            state.isCombining = true
            return (true, state.isClosed)
        }
        if isClosed, isMine {
            end()
            return false
        }
        if isClosed {
            // Somebody combines just now and will be done soon.
            await Task.yield()
            wakePump()
            return true
        }
        if isMine { combine(roundsMax: Self.roundsMax) }
        return true
    }

    /// Ends every lane.
    ///
    /// Who combines does it, and from then on nobody submits anything.
    private func end() {
        desk.isClosed = true
        for lane in Array(desk.lanes.values) { close(lane, failing: nil) }
        perform([])
        combine(roundsMax: .max)
    }
}

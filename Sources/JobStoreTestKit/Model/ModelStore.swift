public import BeanspikeCore
import Synchronization

/// A ``JobStore`` on the reference model: correct, slow, and forgetful of nothing but the disk.
///
/// It shows that the conformance suite can be passed, and with a defective ``ReferenceQueue`` that it can fail.
public final class ModelStore: JobStore {
    /// When replies can be collected.
    public enum Delivery: Sendable {
        /// As soon as the call returns.
        case atOnce
        /// Some time later, after a wake, as of a store that is a round trip away.
        case later
        /// At least so long after.
        case after(Duration)

        var isLater: Bool {
            if case .atOnce = self { return false }
            return true
        }
    }

    private struct State {
        var queue: ReferenceQueue
        var ports: [ReferenceQueue.SessionKey: (port: ModelPort, session: SessionID)] = [:]
    }

    /// What instances share.
    private final class Shared: Sendable {
        let state: Mutex<State>

        init(_ queue: sending ReferenceQueue) { state = Mutex(State(queue: queue)) }
    }

    /// Where the store's time comes from.
    public let clock: any StoreClock
    let delivery: Delivery
    private let instance: Int
    private let shared: Shared

    /// A store on a fresh queue.
    ///
    /// - Parameters:
    ///   - clock: Where its time comes from; ``tick()`` is to be called when it was moved.
    ///   - delivery: When replies can be collected.
    ///   - type: The model to run on.
    public convenience init(
        clock: any StoreClock,
        delivery: Delivery = .atOnce,
        model type: ReferenceQueue.Type = ReferenceQueue.self
    ) {
        self.init(
            clock: clock,
            delivery: delivery,
            queue: type.init(now: clock.now(), wallMilliseconds: clock.wallMilliseconds())
        )
    }

    private init(clock: any StoreClock, delivery: Delivery, queue: sending ReferenceQueue) {
        self.clock = clock
        self.delivery = delivery
        instance = 0
        shared = Shared(queue)
    }

    private init(instance: Int, of store: ModelStore) {
        clock = store.clock
        delivery = store.delivery
        self.instance = instance
        shared = store.shared
    }

    /// Another instance on the same queue.
    ///
    /// - Parameter number: What tells its sessions from those of others; those of a store that was made anew are 0.
    /// - Returns: The instance.
    public func instance(_ number: Int) -> ModelStore { ModelStore(instance: number, of: self) }

    /// A way into the store.
    public func makePort(wake: @escaping @Sendable () -> Void) -> any JobStorePort {
        ModelPort(store: self, wake: wake)
    }

    /// Nothing to do.
    public func close() async throws {}

    /// Does what came due by the clock.
    public func tick() { update(calling: nil) { $0.queue.serveAgain() } }

    /// The store as it is after a clean stop and a start.
    public func reopened(clock: any StoreClock) -> ModelStore {
        let queue = shared.state.withLock { state in
            // Made here of values alone, so that nothing is shared with the old queue.
            Transfer(state.queue.restarted(now: clock.now(), wallMilliseconds: clock.wallMilliseconds()))
        }
        return ModelStore(clock: clock, delivery: delivery, queue: queue.value)
    }

    /// Takes a queue that nobody else refers to out of a lock.
    ///
    /// Safe unchecked: ``ReferenceQueue/restarted(now:wallMilliseconds:)`` makes a queue of copied values, and the
    /// only reference to it is the one in here.
    private struct Transfer: @unchecked Sendable {
        let value: ReferenceQueue
        init(_ value: ReferenceQueue) { self.value = value }
    }

    func open(_ port: ModelPort, _ session: SessionID) -> ReferenceQueue.SessionKey {
        shared.state.withLock { state in
            let key = state.queue.openSession(instance: instance)
            state.ports[key] = (port, session)
            return key
        }
    }

    func close(_ key: ReferenceQueue.SessionKey, of port: ModelPort) {
        update(calling: port) { state in
            state.ports[key] = nil
            state.queue.closeSession(key)
        }
    }

    func submit(_ requests: [Request], _ key: ReferenceQueue.SessionKey, of port: ModelPort) {
        update(calling: port) { $0.queue.submit(requests, session: key) }
    }

    func endWait(_ key: ReferenceQueue.SessionKey, of port: ModelPort) {
        update(calling: port) { $0.queue.endWait(key) }
    }

    func isBlocked(_ key: ReferenceQueue.SessionKey) -> Bool { shared.state.withLock { $0.queue.isBlocked(key) } }

    /// Brings the queue up to the clock, changes it, and hands the answers to their ports.
    private func update(calling: ModelPort?, _ body: (inout State) -> Void) {
        let woken = shared.state.withLock { state in
            state.queue.advance(to: clock.now())
            body(&state)
            var woken: [ObjectIdentifier: ModelPort] = [:]
            for answer in state.queue.takeAnswers() {
                guard let (port, session) = state.ports[answer.session] else { continue }
                port.deliver(answer.reply, to: session)
                if port !== calling || delivery.isLater { woken[ObjectIdentifier(port)] = port }
            }
            return Array(woken.values)
        }
        for port in woken { port.wakeOwner() }
    }
}

/// A port of a ``ModelStore``.
final class ModelPort: JobStorePort {
    private struct State {
        var keys: [SessionID: ReferenceQueue.SessionKey] = [:]
        var underWay = ReplyBatch()
        var ready = ReplyBatch()
        var isWakeDue = false
    }

    private let store: ModelStore
    private let wake: @Sendable () -> Void
    private let state = Mutex(State())

    init(store: ModelStore, wake: @escaping @Sendable () -> Void) {
        self.store = store
        self.wake = wake
    }

    func openSession() -> SessionID {
        let id = state.withLock { state in
            var id: SessionID = 0
            while state.keys[id] != nil { id += 1 }
            state.keys[id] = 0
            return id
        }
        let key = store.open(self, id)
        state.withLock { $0.keys[id] = key }
        return id
    }

    func closeSession(_ session: SessionID) {
        guard let key = key(session) else { return }
        store.close(key, of: self)
        state.withLock { state in
            state.keys[session] = nil
            state.ready.entries.removeAll { $0.session == session }
            state.underWay.entries.removeAll { $0.session == session }
        }
    }

    func submit(_ commands: [Command], bytes: UnsafeRawBufferPointer, session: SessionID) {
        guard let key = key(session) else { return }
        let requests = commands.map { command in
            switch command {
            case .put(_, _, _, let range, _), .update(_, let range, _):
                Request(command, body: Array(bytes[range.offset..<range.offset + range.count]))
            default:
                Request(command)
            }
        }
        store.submit(requests, key, of: self)
    }

    /// Nothing is held back.
    func flush() {}
    var wantsFlush: Bool { false }

    func isBlocked(_ session: SessionID) -> Bool { key(session).map { store.isBlocked($0) } ?? false }

    func endWait(_ session: SessionID) {
        if let key = key(session) { store.endWait(key, of: self) }
    }

    func collect(into batch: inout ReplyBatch) {
        state.withLock { state in
            for entry in state.ready.entries {
                let reply = entry.reply.moved(from: state.ready.bytes, to: &batch)
                batch.append(reply, session: entry.session)
            }
            state.ready.removeAll()
            state.isWakeDue = false
        }
    }

    func deliver(_ reply: TestReply, to session: SessionID) {
        state.withLock { state in
            if store.delivery.isLater {
                state.underWay.append(reply, session: session)
            } else {
                state.ready.append(reply, session: session)
            }
        }
    }

    func wakeOwner() {
        guard store.delivery.isLater else { return arrive() }
        Task { [self] in
            if case .after(let duration) = store.delivery {
                try? await Task.sleep(for: duration)
            } else {
                await Task.yield()
            }
            arrive()
        }
    }

    private func arrive() {
        let isFirst = state.withLock { state in
            for entry in state.underWay.entries {
                let reply = entry.reply.moved(from: state.underWay.bytes, to: &state.ready)
                state.ready.append(reply, session: entry.session)
            }
            state.underWay.removeAll()
            defer { state.isWakeDue = true }
            return !state.isWakeDue
        }
        if isFirst { wake() }
    }

    private func key(_ session: SessionID) -> ReferenceQueue.SessionKey? { state.withLock { $0.keys[session] } }
}

extension ReplyBatch {
    /// Adds a reply, with its body where it has one.
    fileprivate mutating func append(_ reply: TestReply, session: SessionID) {
        append(reply.stored(in: &self), session: session)
    }
}

extension Reply {
    /// The reply with its body copied from one batch's bytes to another's.
    fileprivate func moved(from bytes: [UInt8], to batch: inout ReplyBatch) -> Reply {
        func move(_ view: JobView) -> JobView {
            var view = view
            view.body = bytes.withUnsafeBytes { bytes in
                batch.append(body: UnsafeRawBufferPointer(rebasing: bytes[view.body.offset...].prefix(view.body.count)))
            }
            return view
        }
        switch self {
        case .reserved(let view): return .reserved(move(view))
        case .found(let view): return .found(move(view))
        default: return self
        }
    }
}

import AerospikeStore
import BeanspikeCore
import NIOCore
import NIOPosix
import Synchronization

/// A command with its body, if it has one.
struct Request {
    var command: Command
    var body: [UInt8] = []

    static func put(_ body: [UInt8], priority: UInt32 = 1_000) -> Request {
        let range = ByteRange(offset: 0, count: body.count)
        return Request(command: .put(priority: priority, delaySeconds: 0, ttrSeconds: 600, body: range), body: body)
    }
}

/// Somebody who asks a store for the next thing when the last is answered.
protocol Caller: AnyObject {
    /// What is asked first.
    func first() -> Request
    /// What is asked next; nil where that was all.
    func next(_ reply: Reply, _ bytes: [UInt8]) throws -> Request?
}

/// A reply that was not expected.
struct UnexpectedReply: Error {
    var reply: Reply
}

/// Runs callers, each in a session of its own, on the store's own event loop: no time of other threads is measured.
///
/// `@unchecked Sendable`: what is in it is used under the lock alone.
final class Driver: @unchecked Sendable {
    private let lock = Mutex(())
    private var port: (any JobStorePort)?
    private var sessions: [SessionID: Session] = [:]
    private var batch = ReplyBatch()
    private var whenDone: CheckedContinuation<Void, any Error>?

    private struct Session {
        var caller: any Caller
        /// Replies to come to what was asked before the caller began.
        var introduction: Int
    }

    init(_ store: AerospikeStore) {
        port = store.makePort { [weak self] in
            guard let self else { return }
            // Not from inside the store: it is in the middle of something.
            MultiThreadedEventLoopGroup.currentEventLoop?.execute { self.turn() }
        }
    }

    /// Runs callers that use and watch one tube until all have had enough.
    func run(_ callers: [any Caller], tube: TubeName) async throws {
        nonisolated(unsafe) let callers = callers
        try await withCheckedThrowingContinuation { continuation in
            lock.withLock { _ in
                whenDone = continuation
                for caller in callers { begin(caller, tube) }
                port?.flush()
            }
        }
    }

    private func begin(_ caller: any Caller, _ tube: TubeName) {
        guard let port else { return }
        let id = port.openSession()
        var commands: [Command] = [.use(tube), .watch(tube)]
        if tube != .default { commands.append(.ignore(.default)) }
        sessions[id] = Session(caller: caller, introduction: commands.count)
        let first = caller.first()
        commands.append(first.command)
        first.body.withUnsafeBytes { port.submit(commands, bytes: $0, session: id) }
    }

    private func turn() {
        lock.withLock { _ in
            guard let port else { return }
            port.collect(into: &batch)
            for entry in batch.entries {
                do {
                    try take(entry.reply, entry.session, port)
                } catch {
                    end(throwing: error)
                }
            }
            batch.removeAll()
            port.flush()
            if sessions.isEmpty { end(throwing: nil) }
        }
    }

    private func take(_ reply: Reply, _ id: SessionID, _ port: any JobStorePort) throws {
        guard let session = sessions[id] else { return }
        if session.introduction > 0 {
            sessions[id]?.introduction -= 1
        } else if let next = try session.caller.next(reply, batch.bytes) {
            next.body.withUnsafeBytes { port.submit([next.command], bytes: $0, session: id) }
        } else {
            sessions[id] = nil
            port.closeSession(id)
        }
    }

    private func end(throwing error: (any Error)?) {
        guard let continuation = whenDone else { return }
        whenDone = nil
        if let error {
            for id in sessions.keys { port?.closeSession(id) }
            sessions = [:]
            continuation.resume(throwing: error)
        } else {
            continuation.resume()
        }
    }
}

import AerospikeStore
import BeanspikeCore
import NIOCore
import NIOPosix
import Synchronization

/// One caller that does one thing after the other, and a plain put before each.
///
/// All is done by the same client, on the same thread, in turns: whatever the machine does to the one (where it puts the
/// threads, how deep its cores sleep), it does to the other.
struct OneCaller {
    enum Phase: String, CaseIterable {
        case put, reserve, touch, release, again, delete
    }

    /// Times of the queue's calls, and of the plain puts between them, in nanoseconds.
    struct Times {
        var queue: [Phase: [Int64]] = [:]
        var plain: [Phase: [Int64]] = [:]
    }

    let store: AerospikeStore
    let plain: PlainPuts
    let tube: TubeName
    let count: Int

    func run() async throws -> Times {
        try await withTaskExecutorPreference(plain.client.executor) {
            let session = AskingSession(store)
            for command in [Command.use(tube), .watch(tube), .ignore(.default)] {
                _ = try await session.ask(Request(command: command))
            }
            var times = Times()
            var jobs: [JobID] = []
            for phase in Phase.allCases {
                for index in 0..<count {
                    times.plain[phase, default: []].append(try await plain.time(index))
                    let start = NIODeadline.now()
                    let reply = try await session.ask(request(phase, jobs, index))
                    times.queue[phase, default: []].append((NIODeadline.now() - start).nanoseconds)
                    switch (phase, reply) {
                    case (.put, .inserted), (.touch, .touched), (.release, .released), (.delete, .deleted): break
                    case (.reserve, .reserved(let job)), (.again, .reserved(let job)): jobs.append(job.id)
                    default: throw UnexpectedReply(reply: reply)
                    }
                }
                if phase == .release { jobs = [] }
            }
            session.close()
            return times
        }
    }

    private func request(_ phase: Phase, _ jobs: [JobID], _ index: Int) -> Request {
        switch phase {
        case .put: .put(Workload.body)
        case .reserve, .again: Request(command: .reserve(.none))
        case .touch: Request(command: .touch(jobs[index]))
        case .release: Request(command: .release(jobs[index], priority: 1_000, delaySeconds: 0))
        case .delete: Request(command: .delete(jobs[index]))
        }
    }
}

/// A session whose caller waits for each reply.
///
/// `@unchecked Sendable`: used on the store's event loop alone.
final class AskingSession: @unchecked Sendable {
    private var port: (any JobStorePort)?
    private var id: SessionID = 0
    private var batch = ReplyBatch()
    private var asking: CheckedContinuation<Reply, Never>?

    init(_ store: AerospikeStore) {
        port = store.makePort { [weak self] in
            MultiThreadedEventLoopGroup.currentEventLoop?.execute { [weak self] in self?.collect() }
        }
        id = port?.openSession() ?? 0
    }

    func ask(_ request: Request) async throws -> Reply {
        await withCheckedContinuation { continuation in
            asking = continuation
            request.body.withUnsafeBytes { port?.submit([request.command], bytes: $0, session: id) }
            port?.flush()
            // A reply may be there already; the store says so only of what comes by itself.
            collect()
        }
    }

    private func collect() {
        port?.collect(into: &batch)
        guard let entry = batch.entries.first, let asking else { return }
        self.asking = nil
        batch.removeAll()
        asking.resume(returning: entry.reply)
    }

    func close() { port?.closeSession(id) }
}

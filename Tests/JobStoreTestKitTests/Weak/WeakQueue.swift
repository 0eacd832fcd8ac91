import BeanspikeCore
import JobStoreTestKit

/// A queue that keeps only what every job store promises.
///
/// Ids come in short blocks by tube, with gaps. What one instance does is not known to another before ``lag`` is over:
/// until then jobs are not offered there, and whatever tells of more than one job or session is told wrongly. Who waits
/// in the second instance is served before who waits in the first. Counts and pauses outlive restarts.
class WeakQueue: ReferenceQueue {
    /// How long one instance does not know what another one did.
    static let lag = Duration.milliseconds(40)

    private struct Block {
        var next: JobID
        var left: JobID
    }

    private struct Change {
        let instance: Int
        let instant: StoreInstant
    }

    private var blocks: [TubeName: Block] = [:]
    private var changes: [JobID: Change] = [:]
    /// When an instance last did something to jobs or pauses.
    private var lastActs: [Int: StoreInstant] = [:]
    /// When it last did anything.
    private var lastSigns: [Int: StoreInstant] = [:]

    private static let blockIDs: JobID = 7
    private static let lagMicroseconds = Int64(lag / .microseconds(1))

    override var remembersPast: Bool { true }

    /// A block is 7 ids of which the last ones are at times left out; two numbers between blocks belong to nobody.
    override func makeID(in tube: TubeName) -> JobID {
        var block = blocks[tube] ?? Block(next: 0, left: 0)
        if block.left == 0 {
            let first = max(nextFree, nextJobID) + (blocks.isEmpty ? 0 : 2)
            block = Block(next: first, left: Self.blockIDs)
            nextFree = first + Self.blockIDs
        }
        let id = block.next
        block.next += 1
        block.left -= 1
        if id.isMultiple(of: 5) { block.left = 0 }
        blocks[tube] = block
        return id
    }

    private var nextFree: JobID = 1

    override func isServed(_ a: Wait, before b: Wait) -> Bool {
        (-a.instance, a.sequence) < (-b.instance, b.sequence)
    }

    override func isOffered(_ job: Job, to session: Session) -> Bool {
        guard let change = changes[job.id], change.instance != session.instance else { return true }
        return isHeardOf(change.instant)
    }

    override func didHand(_ id: JobID, to session: Session) {
        changes[id] = Change(instance: session.instance, instant: now)
        lastActs[session.instance] = now
        lastSigns[session.instance] = now
    }

    override func execute(_ request: Request, session key: SessionKey) -> TestReply? {
        guard let instance = sessions.first(where: { $0.key == key })?.instance else { return nil }
        if let premature = prematureReply(request.command, instance) { return premature }
        noteJob(request.command, instance)
        let reply = super.execute(request, session: key)
        if reply != .notFound { noteAct(request.command, instance) }
        if case .inserted(let id) = reply { changes[id] = Change(instance: instance, instant: now) }
        return reply
    }

    /// Remembers that the instance changes a job.
    private func noteJob(_ command: Command, _ instance: Int) {
        switch command {
        case .release(let id, _, _, _), .bury(let id, _, _), .kickJob(let id):
            changes[id] = Change(instance: instance, instant: now)
        default:
            break
        }
    }

    /// Remembers that the instance has changed something.
    private func noteAct(_ command: Command, _ instance: Int) {
        switch command {
        case .peek, .peekNext, .tubeUsed, .tubesWatched, .jobStatistics, .tubeStatistics, .storeStatistics, .tubes:
            return
        case .use, .watch, .ignore, .reserve:
            lastSigns[instance] = now
            return
        default: break
        }
        lastActs[instance] = now
        lastSigns[instance] = now
    }

    /// What an instance says of things that it has not heard of: anything.
    private func prematureReply(_ command: Command, _ instance: Int) -> TestReply? {
        let isSomebodyUnheard = lastSigns.contains { $0.key != instance && !isHeardOf($0.value) }
        guard isSomebodyUnheard else { return nil }
        switch command {
        case .tubes: return .tubes([])
        case .tubeStatistics: return .notFound
        case .storeStatistics:
            var statistics = StoreStatistics()
            statistics.sessionsWaiting = 1_000
            return .storeStatistics(statistics)
        default: break
        }
        let isActUnheard = lastActs.contains { $0.key != instance && !isHeardOf($0.value) }
        guard isActUnheard else { return nil }
        switch command {
        case .peekNext: return .notFound
        case .kick: return .kicked(0)
        case .truncate: return .truncated(0)
        default: return nil
        }
    }

    private func isHeardOf(_ instant: StoreInstant) -> Bool {
        instant.advanced(byMicroseconds: Self.lagMicroseconds) <= now
    }
}

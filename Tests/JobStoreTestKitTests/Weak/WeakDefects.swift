import BeanspikeCore
import JobStoreTestKit

/// A way in which even the weakest store must not be wrong, and a case that must notice.
struct WeakDefect: Sendable, CustomStringConvertible {
    let description: String
    let model: WeakQueue.Type
    /// How the name of the case begins.
    let conformanceCase: String

    static let all: [WeakDefect] = [
        WeakDefect(description: "priority is not looked at", model: ByIDAlone.self, conformanceCase: "order/smallest"),
        WeakDefect(description: "last in, first out", model: LastInFirstOut.self, conformanceCase: "order/first in"),
        WeakDefect(
            description: "last to wait is first served",
            model: ImpatientFirst.self,
            conformanceCase: "wait/first to wait"
        ),
        WeakDefect(description: "buried jobs by id", model: BuriedByID.self, conformanceCase: "kick/buried"),
        WeakDefect(description: "ids fall within a tube", model: FallingIDs.self, conformanceCase: "order/first id"),
        WeakDefect(description: "ids do not begin at 1", model: LateIDs.self, conformanceCase: "order/first id"),
        WeakDefect(
            description: "an instance never hears of another one's jobs",
            model: Deaf.self,
            conformanceCase: "wait/answered by a put"
        ),
        WeakDefect(
            description: "a pause is not known to other instances",
            model: Restless.self,
            conformanceCase: "pause/nothing"
        ),
        WeakDefect(
            description: "a tube's counts go on from too much",
            model: Boastful.self,
            conformanceCase: "tube statistics/every count"
        ),
    ]
}

private final class ByIDAlone: WeakQueue {
    override func isBetter(_ a: Job, than b: Job) -> Bool { a.id < b.id }
}

private final class LastInFirstOut: WeakQueue {
    override func isBetter(_ a: Job, than b: Job) -> Bool {
        (a.lifecycle.priority, b.id) < (b.lifecycle.priority, a.id)
    }
}

private final class ImpatientFirst: WeakQueue {
    override func isServed(_ a: Wait, before b: Wait) -> Bool { a.sequence > b.sequence }
}

private final class BuriedByID: WeakQueue {
    override func isKicked(buried a: Job, before b: Job) -> Bool { a.id < b.id }
}

private final class FallingIDs: WeakQueue {
    private var next: JobID = 1_000_000

    override func makeID(in tube: TubeName) -> JobID {
        next -= 1
        return nextJobID == 1 ? 1 : next
    }
}

private final class LateIDs: WeakQueue {
    override func makeID(in tube: TubeName) -> JobID { super.makeID(in: tube) + 1 }
}

private final class Deaf: WeakQueue {
    private var putters: [JobID: Int] = [:]

    override func isOffered(_ job: Job, to session: Session) -> Bool { putters[job.id] ?? 0 == session.instance }

    override func execute(_ request: Request, session key: SessionKey) -> TestReply? {
        let instance = sessions.first { $0.key == key }?.instance
        if case .put = request.command, let instance { putters[nextJobID] = instance }
        return super.execute(request, session: key)
    }

    override func makeID(in tube: TubeName) -> JobID {
        let id = super.makeID(in: tube)
        putters[id] = putters.removeValue(forKey: nextJobID) ?? 0
        return id
    }
}

private final class Restless: WeakQueue {
    override func execute(_ request: Request, session key: SessionKey) -> TestReply? {
        guard case .reserve = request.command, let session = sessions.first(where: { $0.key == key }),
            session.instance == 1, let tube = session.watched.first(where: { tubes[$0]?.pausedUntil != nil })
        else { return super.execute(request, session: key) }
        _ = super.execute(Request(.pause(tube, seconds: 0)), session: key)
        return super.execute(request, session: key)
    }
}

private final class Boastful: WeakQueue {
    override func execute(_ request: Request, session key: SessionKey) -> TestReply? {
        let reply = super.execute(request, session: key)
        guard case .tubeStatistics(var statistics) = reply else { return reply }
        statistics.jobs.total += 1
        return .tubeStatistics(statistics)
    }
}

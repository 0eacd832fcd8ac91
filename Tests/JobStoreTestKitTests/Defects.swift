import BeanspikeCore
import JobStoreTestKit

/// A way in which a store could be wrong, and the cases that must notice.
struct Defect: Sendable, CustomStringConvertible {
    let description: String
    let model: ReferenceQueue.Type
    /// How the names of some of the cases that must fail begin.
    let cases: [String]

    static let all: [Defect] = [
        Defect(description: "priority is not looked at", model: ByIDAlone.self, cases: ["order/smallest priority"]),
        Defect(description: "last in, first out", model: LastInFirstOut.self, cases: ["order/first in"]),
        Defect(description: "last to wait is first served", model: ImpatientFirst.self, cases: ["wait/first to wait"]),
        Defect(description: "buried jobs by id", model: BuriedByID.self, cases: ["kick/buried", "restart/the order"]),
        Defect(description: "delayed jobs by id", model: DelayedByID.self, cases: ["kick/delayed", "peek/soonest"]),
        Defect(description: "touch does nothing", model: IdleTouch.self, cases: ["reservation/touch"]),
        Defect(
            description: "release keeps the priority",
            model: StubbornRelease.self,
            cases: ["reservation/release sets", "wait/answered by a release"]
        ),
        Defect(
            description: "a closed session counts as a timeout",
            model: CloseIsTimeout.self,
            cases: ["reservation/closing a session frees"]
        ),
        Defect(description: "anybody may delete", model: OpenDelete.self, cases: ["ownership/another session's"]),
        Defect(description: "a burial forgets its reason", model: Speechless.self, cases: ["payload/retries"]),
        Defect(description: "no warning of a deadline", model: NoWarning.self, cases: ["deadline soon/a reserve"]),
        Defect(description: "a pause is not kept", model: Restless.self, cases: ["pause/nothing"]),
        Defect(description: "TTR becomes one more", model: Generous.self, cases: ["reservation/times out"]),
        Defect(description: "kick takes one too many", model: HardKick.self, cases: ["kick/buried"]),
    ]
}

private final class ByIDAlone: ReferenceQueue {
    override func isBetter(_ a: Job, than b: Job) -> Bool { a.id < b.id }
}

private final class LastInFirstOut: ReferenceQueue {
    override func isBetter(_ a: Job, than b: Job) -> Bool {
        (a.lifecycle.priority, b.id) < (b.lifecycle.priority, a.id)
    }
}

private final class ImpatientFirst: ReferenceQueue {
    override func isServed(_ a: Wait, before b: Wait) -> Bool { a.sequence > b.sequence }
}

private final class BuriedByID: ReferenceQueue {
    override func isKicked(buried a: Job, before b: Job) -> Bool { a.id < b.id }
}

private final class DelayedByID: ReferenceQueue {
    override func isDue(_ a: Job, before b: Job) -> Bool { a.id < b.id }
}

private final class CloseIsTimeout: ReferenceQueue {
    override func abandon(_ job: inout Job) {
        super.abandon(&job)
        job.lifecycle.timeouts += 1
    }
}

private final class IdleTouch: ReferenceQueue {
    override func execute(_ request: Request, session key: SessionKey) -> TestReply? {
        guard case .touch(let id) = request.command else { return super.execute(request, session: key) }
        return jobs.contains { $0.id == id && $0.holder == key } ? .touched : .notFound
    }
}

private final class StubbornRelease: ReferenceQueue {
    override func execute(_ request: Request, session key: SessionKey) -> TestReply? {
        guard case .release(let id, _, let delay, let isRetry) = request.command,
            let job = jobs.first(where: { $0.id == id })
        else { return super.execute(request, session: key) }
        let priority = job.lifecycle.priority
        let command = Command.release(id, priority: priority, delaySeconds: delay, isRetry: isRetry)
        return super.execute(Request(command), session: key)
    }
}

private final class OpenDelete: ReferenceQueue {
    override func execute(_ request: Request, session key: SessionKey) -> TestReply? {
        guard case .delete(let id) = request.command, let holder = jobs.first(where: { $0.id == id })?.holder else {
            return super.execute(request, session: key)
        }
        return super.execute(request, session: holder)
    }
}

private final class Speechless: ReferenceQueue {
    override func execute(_ request: Request, session key: SessionKey) -> TestReply? {
        guard case .bury(let id, let priority, _) = request.command else {
            return super.execute(request, session: key)
        }
        return super.execute(Request(.bury(id, priority: priority)), session: key)
    }
}

private final class NoWarning: ReferenceQueue {
    override func execute(_ request: Request, session key: SessionKey) -> TestReply? {
        let reply = super.execute(request, session: key)
        return reply == .deadlineSoon ? .timedOut : reply
    }
}

private final class Restless: ReferenceQueue {
    override func execute(_ request: Request, session key: SessionKey) -> TestReply? {
        guard case .pause(let tube, _) = request.command else { return super.execute(request, session: key) }
        return super.execute(Request(.pause(tube, seconds: 0)), session: key)
    }
}

private final class Generous: ReferenceQueue {
    override func execute(_ request: Request, session key: SessionKey) -> TestReply? {
        guard case .put(let priority, let delay, let ttr, let body, let attributes) = request.command, ttr > 0 else {
            return super.execute(request, session: key)
        }
        let command = Command.put(
            priority: priority,
            delaySeconds: delay,
            ttrSeconds: ttr + 1,
            body: body,
            attributes: attributes
        )
        return super.execute(Request(command, body: request.body), session: key)
    }
}

private final class HardKick: ReferenceQueue {
    override func execute(_ request: Request, session key: SessionKey) -> TestReply? {
        guard case .kick(let bound) = request.command else { return super.execute(request, session: key) }
        return super.execute(Request(.kick(bound + 1)), session: key)
    }
}

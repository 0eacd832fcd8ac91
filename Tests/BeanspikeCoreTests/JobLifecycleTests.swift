import BeanspikeCore
import Testing

private func at(_ seconds: Int64) -> StoreInstant { StoreInstant(microseconds: seconds * 1_000_000) }

/// Each transition of a job, from each state.
@Suite struct JobLifecycleTests {
    private static func ready(ttr: UInt32 = 60) -> JobLifecycle {
        JobLifecycle(priority: 7, delaySeconds: 0, ttrSeconds: ttr, now: at(100))
    }

    private static func delayed() -> JobLifecycle {
        JobLifecycle(priority: 7, delaySeconds: 5, ttrSeconds: 60, now: at(100))
    }

    private static func reserved(ttr: UInt32 = 60) -> JobLifecycle {
        var job = ready(ttr: ttr)
        _ = job.reserve(now: at(100))
        return job
    }

    private static func buried() -> JobLifecycle {
        var job = reserved()
        _ = job.bury(priority: 7)
        return job
    }

    private static func job(_ state: JobState) -> JobLifecycle {
        switch state {
        case .ready: ready()
        case .reserved: reserved()
        case .delayed: delayed()
        case .buried: buried()
        }
    }

    /// What a transition says from each state, and that a refused one changes nothing.
    private func expect(
        allowedFrom allowed: Set<JobState>,
        to expected: JobState,
        _ transition: (inout JobLifecycle) -> Bool,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        for state in JobState.allCases {
            let before = Self.job(state)
            #expect(before.state == state, sourceLocation: sourceLocation)
            var job = before
            let isAllowed = transition(&job)
            #expect(isAllowed == allowed.contains(state), "from \(state.word)", sourceLocation: sourceLocation)
            if allowed.contains(state) {
                #expect(job.state == expected, "from \(state.word)", sourceLocation: sourceLocation)
            } else {
                #expect(job == before, "from \(state.word)", sourceLocation: sourceLocation)
            }
        }
    }

    @Test func transitionsAreAllowedFromTheirStatesOnly() {
        expect(allowedFrom: [.ready, .delayed, .buried], to: .reserved) { $0.reserve(now: at(200)) }
        expect(allowedFrom: [.reserved], to: .reserved) { $0.touch(now: at(200)) }
        expect(allowedFrom: [.reserved], to: .ready) { $0.release(priority: 1, delaySeconds: 0, now: at(200)) }
        expect(allowedFrom: [.reserved], to: .delayed) { $0.release(priority: 1, delaySeconds: 1, now: at(200)) }
        expect(allowedFrom: [.reserved], to: .buried) { $0.bury(priority: 1) }
        expect(allowedFrom: [.delayed, .buried], to: .ready) { $0.kick() }
        expect(allowedFrom: [.delayed], to: .ready) { $0.comeDue(now: at(105)) }
        expect(allowedFrom: [.reserved], to: .ready) { $0.timeOut(now: at(160)) }
        expect(allowedFrom: [.reserved], to: .ready) { $0.abandon() }
        expect(allowedFrom: [], to: .ready) { $0.comeDue(now: StoreInstant(microseconds: 104_999_999)) }
        expect(allowedFrom: [], to: .ready) { $0.timeOut(now: StoreInstant(microseconds: 159_999_999)) }
    }

    @Test func aJobIsPutReadyOrDelayed() {
        #expect(Self.ready().state == .ready)
        #expect(Self.ready().deadline == .never)
        #expect(Self.delayed().state == .delayed)
        #expect(Self.delayed().deadline == at(105))
        #expect(Self.delayed().delaySeconds == 5)
    }

    @Test func reserveStartsTheTimeToRun() {
        #expect(Self.reserved().deadline == at(160))
        #expect(Self.reserved(ttr: 0).deadline == .never)
        #expect(Self.reserved().reserves == 1)
    }

    @Test func touchStartsItAnew() throws {
        let touched = try Self.reserved().after { $0.touch(now: at(130)) }
        #expect(touched.deadline == at(190))
        #expect(touched.reserves == 1)
        #expect(try Self.reserved(ttr: 0).after { $0.touch(now: at(130)) }.deadline == .never)
    }

    @Test func aJobWithoutTimeToRunNeverTimesOut() {
        var job = Self.reserved(ttr: 0)
        let isTimedOut = job.timeOut(now: StoreInstant(microseconds: .max - 1))
        #expect(!isTimedOut)
        #expect(job == Self.reserved(ttr: 0))
    }

    @Test func releaseSetsPriorityAndDelay() throws {
        let delayed = try Self.reserved().after { $0.release(priority: 9, delaySeconds: 3, now: at(110)) }
        #expect(delayed.priority == 9)
        #expect(delayed.delaySeconds == 3)
        #expect(delayed.deadline == at(113))
        #expect(delayed.releases == 1)
        let ready = try Self.reserved().after { $0.release(priority: 9, delaySeconds: 0, now: at(110)) }
        #expect(ready.priority == 9)
        #expect(ready.deadline == .never)
    }

    @Test func burySetsThePriority() throws {
        let job = try Self.reserved().after { $0.bury(priority: 11) }
        #expect(job.priority == 11)
        #expect(job.deadline == .never)
        #expect(job.buries == 1)
    }

    @Test func eachCounterCountsItsOwn() throws {
        let job = try Self.delayed()
            .after { $0.kick() }
            .after { $0.reserve(now: at(101)) }
            .after { $0.timeOut(now: at(161)) }
            .after { $0.reserve(now: at(162)) }
            .after { $0.abandon() }
            .after { $0.reserve(now: at(163)) }
            .after { $0.release(priority: 1, delaySeconds: 1, now: at(164)) }
            .after { $0.comeDue(now: at(165)) }
            .after { $0.reserve(now: at(166)) }
            .after { $0.bury(priority: 2) }
            .after { $0.kick() }
        #expect(job.reserves == 4)
        #expect(job.timeouts == 1)
        #expect(job.releases == 1)
        #expect(job.buries == 1)
        #expect(job.kicks == 2)
        #expect(job.state == .ready)
        #expect(job.deadline == .never)
        #expect(job.ttrSeconds == 60)
    }

    @Test func rawValuesAreThoseOnDisk() {
        #expect(JobState.allCases.map(\.rawValue) == [0, 1, 2, 3])
        #expect(JobState.allCases.map(\.word) == ["ready", "reserved", "delayed", "buried"])
    }
}

extension JobLifecycle {
    /// The job after a transition, which must be allowed.
    fileprivate func after(_ transition: (inout JobLifecycle) -> Bool) throws -> JobLifecycle {
        var job = self
        let isAllowed = transition(&job)
        try #require(isAllowed)
        return job
    }
}

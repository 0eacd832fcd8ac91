import BeanspikeCore
import JobStoreTestKit
import Synchronization

/// What a run asked of a queue and was told, and what of it contradicts what the queue promises.
///
/// A job is known by its body, which begins with its number here. What is in doubt is never held against the queue: only
/// what no order of events can explain is a violation.
final class JobLedger: Sendable {
    typealias Owner = Int

    /// Someone who was given a job, and may have it still.
    private struct Holder {
        var owner: Owner
        var instance: Int
        /// The number of the process that gave it out: another one has it when this one was taken for dead.
        var process: Int
        /// Before its time to run can have begun.
        var since: ContinuousClock.Instant
        var ttrSeconds: UInt32
        /// Whether it may have given the job up.
        var isGivingUp = false
    }

    private enum Existence {
        case asked
        case acknowledged
        case inDoubt
        /// Nothing of it was kept, the queue says.
        case refused
    }

    private struct Job {
        var tube: Int
        var id: JobID?
        var existence = Existence.asked
        var holders: [Holder] = []
        /// Deletions that were asked for and have no certain answer.
        var doubtfulDeletions = 0
        var isDeleted = false
        var isDrained = false
    }

    private struct State {
        var jobs: [Job] = []
        var nextOwner = 0
        var violations: [String] = []
        var counts: [String: Int] = [:]
        var failures: [String: Int] = [:]
        var deadInstances: Set<Int> = []
        var lastProgress: ContinuousClock.Instant?
        var longestGap = Duration.zero
    }

    private let state = Mutex(State())
    /// Whether the cluster may lose, or bring back, what it had acknowledged: then that is counted, and no violation.
    private let mayLose: Bool
    /// The number of an instance's process at the moment; nil while it may have been taken for dead.
    private let process: @Sendable (Int) -> Int?

    init(mayLose: Bool = false, process: @escaping @Sendable (Int) -> Int?) {
        self.mayLose = mayLose
        self.process = process
    }

    var violations: [String] { state.withLock { $0.violations } }
    var counts: [String: Int] { state.withLock { $0.counts } }

    // MARK: - How long nothing was done

    /// From now on it is looked at how long nothing is done, by anybody.
    func faultBegins() { state.withLock { $0.lastProgress = .now } }

    /// The load is over.
    func faultEnds() {
        state.withLock { state in
            progress(&state)
            state.lastProgress = nil
        }
    }

    /// The longest time in which nobody was told of a success, since it was looked at.
    var longestGap: Duration { state.withLock { $0.longestGap } }

    private func progress(_ state: inout State) {
        guard let last = state.lastProgress else { return }
        let now = ContinuousClock.now
        state.longestGap = max(state.longestGap, now - last)
        state.lastProgress = now
    }

    func count(_ what: String) { state.withLock { $0.counts[what, default: 0] += 1 } }

    /// A call failed, which it may while things go wrong.
    func failed(_ what: String, _ error: JobStoreError) {
        count("failed")
        state.withLock { $0.failures["\(what): \(error)".prefix(110).description, default: 0] += 1 }
    }

    /// What the failures said, and how often.
    var failures: [String: Int] { state.withLock { $0.failures } }

    func violate(_ what: String) { state.withLock { $0.violations.append(what) } }

    /// Something that only a cluster which loses nothing can be blamed for.
    private func note(_ violation: String, as kind: String, _ state: inout State) {
        if mayLose {
            state.counts[kind, default: 0] += 1
        } else {
            state.violations.append(violation)
        }
    }

    func newOwner() -> Owner {
        state.withLock { state in
            state.nextOwner += 1
            return state.nextOwner
        }
    }

    // MARK: - Bodies

    static func body(_ number: Int) -> [UInt8] {
        let length = number.isMultiple(of: 13) ? 600 + number % 900 : number * 7 % 60
        return Array("\(number):".utf8) + (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ number) }
    }

    private static func number(_ body: [UInt8]) -> Int? {
        Int(String(decoding: body.prefix { $0 != UInt8(ascii: ":") }, as: UTF8.self))
    }

    // MARK: - Putting

    func beginPut(tube: Int) -> Int {
        state.withLock { state in
            state.jobs.append(Job(tube: tube))
            return state.jobs.count - 1
        }
    }

    func putDone(_ number: Int, _ id: JobID) {
        state.withLock { state in
            state.counts["put", default: 0] += 1
            progress(&state)
            state.jobs[number].existence = .acknowledged
            if let known = state.jobs[number].id, known != id {
                state.violations.append("job \(number) was put under \(id) and handed out under \(known)")
            }
            state.jobs[number].id = id
        }
    }

    func putFailed(_ number: Int, _ error: JobStoreError) {
        failed("put", error)
        state.withLock { state in
            state.counts[error.inDoubt ? "put in doubt" : "put refused", default: 0] += 1
            guard state.jobs[number].existence == .asked else { return }
            state.jobs[number].existence = error.inDoubt ? .inDoubt : .refused
        }
    }

    /// A job that was acknowledged and not deleted, as far as is known, and that the owner does not hold.
    func someJob(notOf owner: Owner, using random: inout SeededGenerator) -> (number: Int, id: JobID)? {
        state.withLock { state in
            guard !state.jobs.isEmpty else { return nil }
            for _ in 0..<8 {
                let number = Int.random(in: max(0, state.jobs.count - 60)..<state.jobs.count, using: &random)
                let job = state.jobs[number]
                if let id = job.id, !job.isDeleted, !job.holders.contains(where: { $0.owner == owner }) {
                    return (number, id)
                }
            }
            return nil
        }
    }

    // MARK: - Handing out

    /// The number of an instance's process now; nil while it may have been taken for dead.
    func processNumber(_ instance: Int) -> Int? { process(instance) }

    /// A job came; returns its number, nil where it is none that was put.
    ///
    /// `process` is the number that the instance had when the job was asked for.
    func delivered(
        _ job: TestJob,
        to owner: Owner,
        of instance: Int,
        asked: ContinuousClock.Instant,
        process asker: Int?
    ) -> Int? {
        let now = ContinuousClock.now
        // One that has another number by now has dropped the job, or may have.
        let giver = process(instance).flatMap { $0 == asker ? $0 : nil } ?? 0
        return state.withLock { state in
            state.counts["delivered", default: 0] += 1
            progress(&state)
            guard let number = check(job, &state) else { return nil }
            for holder in state.jobs[number].holders where isLive(holder, now, state) {
                note(
                    "job \(number) (id \(job.id)) was given to owner \(owner) of instance \(instance) while "
                        + "\(holder.owner) of \(holder.instance) has it",
                    as: "two owners",
                    &state
                )
            }
            state.jobs[number].holders = [
                Holder(
                    owner: owner,
                    instance: instance,
                    process: giver,
                    since: asked,
                    ttrSeconds: job.ttrSeconds
                )
            ]
            return number
        }
    }

    private func check(_ job: TestJob, _ state: inout State) -> Int? {
        guard let number = Self.number(job.body), state.jobs.indices.contains(number) else {
            state.violations.append("job \(job.id) has a body that nobody put: \(job.body.count) bytes")
            return nil
        }
        if job.body != Self.body(number) { state.violations.append("job \(number) (id \(job.id)) has another body") }
        if let id = state.jobs[number].id, id != job.id {
            note("job \(number) is there twice: as \(id) and as \(job.id)", as: "twice", &state)
        }
        state.jobs[number].id = job.id
        if state.jobs[number].isDeleted {
            note("job \(number) (id \(job.id)) is back from deletion", as: "back from deletion", &state)
        }
        if state.jobs[number].existence == .refused {
            state.violations.append("job \(number) (id \(job.id)) was refused, and is there")
        }
        return number
    }

    private func isLive(_ holder: Holder, _ now: ContinuousClock.Instant, _ state: State) -> Bool {
        if holder.isGivingUp || state.deadInstances.contains(holder.instance) { return false }
        if process(holder.instance) != holder.process { return false }
        return holder.ttrSeconds == 0 || now < holder.since + .seconds(Int64(holder.ttrSeconds))
    }

    // MARK: - Holding

    /// What the owner does from now on may make the job another's.
    func givesUp(_ number: Int, _ owner: Owner) { change(number, owner) { $0.isGivingUp = true } }

    /// It did: it has the job no more, though it may get it again.
    func gaveBack(_ number: Int, _ owner: Owner) {
        state.withLock { state in
            state.counts["given back", default: 0] += 1
            state.jobs[number].holders.removeAll { $0.owner == owner && $0.isGivingUp }
        }
    }

    /// It did not.
    func keeps(_ number: Int, _ owner: Owner) { change(number, owner) { $0.isGivingUp = false } }

    func touched(_ number: Int, _ owner: Owner, asked: ContinuousClock.Instant) {
        change(number, owner) { $0.since = asked }
    }

    private func change(_ number: Int, _ owner: Owner, _ body: (inout Holder) -> Void) {
        state.withLock { state in
            for index in state.jobs[number].holders.indices
            where state.jobs[number].holders[index].owner == owner {
                body(&state.jobs[number].holders[index])
            }
        }
    }

    /// The owner was told that the job is not its own any more.
    func wasTold(_ number: Int, _ owner: Owner, notFoundFor what: String) {
        let now = ContinuousClock.now
        state.withLock { state in
            state.counts["not found", default: 0] += 1
            for var holder in state.jobs[number].holders where holder.owner == owner {
                holder.isGivingUp = false
                guard isLive(holder, now, state), state.jobs[number].doubtfulDeletions == 0 else { continue }
                note(
                    "job \(number) was not found by its owner \(owner), which has time left: \(what) (TTR "
                        + "\(holder.ttrSeconds) s, had for \(now - holder.since), process \(holder.process))",
                    as: "taken away",
                    &state
                )
            }
            state.jobs[number].holders.removeAll { $0.owner == owner }
        }
    }

    /// An owner is gone, and with it all that it holds.
    func ends(_ owner: Owner) {
        state.withLock { state in
            for index in state.jobs.indices { state.jobs[index].holders.removeAll { $0.owner == owner } }
        }
    }

    func dies(instance: Int) { state.withLock { _ = $0.deadInstances.insert(instance) } }

    // MARK: - Deleting

    func beginDelete(_ number: Int) { state.withLock { $0.jobs[number].doubtfulDeletions += 1 } }

    /// The answer to a deletion; nil while it is in doubt.
    func deleteAnswered(_ number: Int, isDeleted: Bool?) {
        state.withLock { state in
            guard let isDeleted else { return state.counts["delete in doubt", default: 0] += 1 }
            state.jobs[number].doubtfulDeletions -= 1
            guard isDeleted else { return }
            progress(&state)
            state.counts["deleted", default: 0] += 1
            if state.jobs[number].isDeleted { note("job \(number) was deleted twice", as: "deleted twice", &state) }
            state.jobs[number].isDeleted = true
            state.jobs[number].holders = []
        }
    }

    // MARK: - At the end

    /// A job came when all was to come.
    func drained(_ job: TestJob) {
        state.withLock { state in
            state.counts["drained", default: 0] += 1
            guard let number = check(job, &state) else { return }
            if state.jobs[number].isDrained { note("job \(number) (id \(job.id)) came twice", as: "twice", &state) }
            state.jobs[number].isDrained = true
            state.jobs[number].isDeleted = true
        }
    }

    /// The jobs that must be there and have not come.
    var missing: [(number: Int, id: JobID)] {
        state.withLock { state in
            state.jobs.enumerated().compactMap { number, job in
                guard job.existence == .acknowledged, !job.isDeleted, job.doubtfulDeletions == 0 else { return nil }
                return (number, job.id ?? 0)
            }
        }
    }

    /// How many jobs a tube can have had.
    func puts(inTube tube: Int) -> ClosedRange<Int> {
        state.withLock { state in
            let jobs = state.jobs.filter { $0.tube == tube }
            let sure = jobs.count { $0.existence == .acknowledged || $0.isDrained }
            let doubtful = jobs.count { ($0.existence == .inDoubt || $0.existence == .asked) && !$0.isDrained }
            return sure...(sure + doubtful)
        }
    }
}

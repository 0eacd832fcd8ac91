import BeanspikeCore
import Synchronization

/// What a connection holds, and its idle lanes.
final class LaneBook: Sendable {
    private struct State {
        var idle: [[TubeName]: [Lane]] = [:]
        /// The newest reservation of each job.
        var held: [JobID: Reservation] = [:]
        /// How many jobs are held on each lane that has some.
        var loads: [ObjectIdentifier: Int] = [:]
        /// With so many jobs held it is looked for those whose time is over.
        var sweepCount = State.sweepCountMin
        static let sweepCountMin = 256
    }

    /// So many idle lanes are kept for the same tubes.
    private static let idleMax = 256

    private let state = Mutex(State())
    private let link: StoreLink

    init(_ link: StoreLink) { self.link = link }

    /// A lane that nobody uses.
    func take(_ tubes: [TubeName]) -> Lane {
        state.withLock { $0.idle[tubes]?.popLast() } ?? Lane(tubes: tubes)
    }

    /// Gives a lane back on which nothing is held and nothing waits.
    func giveBack(_ lane: Lane) {
        let isKept = state.withLock { state in
            guard state.idle[lane.tubes, default: []].count < Self.idleMax else { return false }
            state.idle[lane.tubes, default: []].append(lane)
            return true
        }
        if !isKept { link.close(lane) }
    }

    /// Notes jobs that came on a lane.
    func hold(_ reservations: [Reservation], on lane: Lane) {
        let overdue: [Reservation] = state.withLock { state in
            state.loads[ObjectIdentifier(lane), default: 0] += reservations.count
            for reservation in reservations { state.held[reservation.id] = reservation }
            guard state.held.count >= state.sweepCount else { return [] }
            let now = ContinuousClock.now
            let overdue = state.held.values.filter { $0.isOver(at: now) }
            state.sweepCount = max(State.sweepCountMin, (state.held.count - overdue.count) * 2)
            return overdue
        }
        // Who let them run out and never said so: nobody needs the lanes.
        for reservation in overdue where reservation.giveUp() { release(reservation, isLost: true) }
    }

    /// The newest reservation of a job that is held here.
    func reservation(of job: JobID) -> Reservation? { state.withLock { $0.held[job] } }

    /// The job is not held on the lane any more, which is free when it was the last.
    ///
    /// - Parameters:
    ///   - reservation: one whose `end` or `giveUp` said so.
    ///   - isLost: whether the store may not know it yet: then the lane is not used again.
    func release(_ reservation: Reservation, isLost: Bool = false) {
        let isFree = state.withLock { state in
            if state.held[reservation.id] === reservation { state.held[reservation.id] = nil }
            let lane = ObjectIdentifier(reservation.lane)
            guard let load = state.loads[lane] else { return false }
            state.loads[lane] = load > 1 ? load - 1 : nil
            return load == 1
        }
        guard isFree else { return }
        if isLost { link.close(reservation.lane) } else { giveBack(reservation.lane) }
    }
}

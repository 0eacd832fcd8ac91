import BeanspikeCore

/// Counters of a job, of its tube and of the store, told apart by what changed.
private struct Counters: Equatable, CustomStringConvertible {
    var state = JobState.ready
    var reserves: UInt32 = 0
    var timeouts: UInt32 = 0
    var releases: UInt32 = 0
    var buries: UInt32 = 0
    var kicks: UInt32 = 0

    var description: String {
        "\(state.word), reserves \(reserves), timeouts \(timeouts), releases \(releases), buries \(buries), kicks \(kicks)"
    }

    init() {}

    init(_ lifecycle: JobLifecycle) {
        state = lifecycle.state
        reserves = lifecycle.reserves
        timeouts = lifecycle.timeouts
        releases = lifecycle.releases
        buries = lifecycle.buries
        kicks = lifecycle.kicks
    }
}

extension Conformance {
    static let jobStatisticsCases: [Case] = [
        Case("job statistics/what it was put with, its age and the time left") { bed in
            let session = bed.session()
            try await session.expect(.use(alpha), .using(alpha))
            let id = try await session.put([1, 2, 3], priority: 17, delay: 10, ttr: 40)
            try await bed.advance(seconds: 1.5)
            var statistics = try await session.statistics(of: id)
            try expect(statistics.id, is: id)
            try expect(statistics.tube, is: alpha)
            try expect(statistics.bodyBytes, is: 3)
            try expect(statistics.lifecycle.priority, is: 17)
            try expect(statistics.lifecycle.delaySeconds, is: 10)
            try expect(statistics.lifecycle.ttrSeconds, is: 40)
            try bed.expectPassed(statistics.ageSeconds, is: 1)
            try bed.expectLeft(statistics.timeLeftSeconds, is: 8)
            try await session.reserveJob(id)
            try await bed.advance(seconds: 1.25)
            statistics = try await session.statistics(of: id)
            try bed.expectPassed(statistics.ageSeconds, is: 2)
            try bed.expectLeft(statistics.timeLeftSeconds, is: 38)
            try expect(statistics.lifecycle.delaySeconds, is: 10)
            try await session.expect(.bury(id, priority: 18), .buried)
            statistics = try await session.statistics(of: id)
            try expect(statistics.timeLeftSeconds, is: 0)
            try expect(statistics.lifecycle.priority, is: 18)
        },
        Case("job statistics/every counter after every transition", everyJobCounter),
    ]

    static let tubeStatisticsCases: [Case] = [
        Case("tube statistics/every count after every transition", everyTubeCount),
        Case("tube statistics/sessions that use, watch and wait", sessionCounts),
        Case("tube statistics/pauses") { bed in
            let session = bed.session()
            try await session.expect(.pause(.default, seconds: 10), .paused)
            try await bed.advance(seconds: 1.5)
            var statistics = try await session.statistics(of: TubeName.default)
            try expect(statistics.pauses, is: 1)
            try expect(statistics.pauseSeconds, is: 10)
            try bed.expectLeft(statistics.pauseLeftSeconds, is: 8)
            try await session.expect(.pause(.default, seconds: 0), .paused)
            statistics = try await session.statistics(of: TubeName.default)
            try expect(statistics.pauseSeconds, is: 0)
            try expect(statistics.pauseLeftSeconds, is: 0)
        },
        Case("tube statistics/bytes of compressed and of incompressible bodies") { bed in
            let session = bed.session()
            try await session.put(
                [UInt8](repeating: 1, count: 30),
                attributes: JobAttributes(originalBodyBytes: 1_000)
            )
            try await session.put(
                [UInt8](repeating: 2, count: 50),
                attributes: JobAttributes(isCompressionSkipped: true)
            )
            try await session.put([UInt8](repeating: 3, count: 7))
            for counts in [try await session.statistics().jobs, try await session.statistics(of: .default).jobs] {
                try expect(counts.usedBytes, is: 87)
                try expect(counts.bodyBytes, is: 1_057)
                try expect(counts.skippedBytes, is: 50)
            }
            try await session.expect(.truncate(.default), .truncated(3))
            let counts = try await session.statistics().jobs
            try expect(counts.usedBytes, is: 0)
            try expect(counts.bodyBytes, is: 0)
            try expect(counts.skippedBytes, is: 0)
        },
    ]

    private static func everyJobCounter(_ bed: TestBed) async throws {
        let session = bed.session()
        let id = try await session.put(delay: 100, ttr: 2)
        var expected = Counters()
        func check(line: UInt = #line) async throws {
            let lifecycle = try await session.statistics(of: id, line: line).lifecycle
            try expect(Counters(lifecycle), is: expected, line: line)
        }
        expected.state = .delayed
        try await check()
        try await session.expect(.kick(1), .kicked(1))
        (expected.state, expected.kicks) = (.ready, 1)
        try await check()
        try await session.reserve()
        (expected.state, expected.reserves) = (.reserved, 1)
        try await check()
        let ((), touch) = try await bed.timing { try await session.expect(.touch(id), .touched) }
        try await check()
        try await bed.advance(past: 2, after: touch)
        (expected.state, expected.timeouts) = (.ready, 1)
        try await check()
        try await session.reserveJob(id)
        (expected.state, expected.reserves) = (.reserved, 2)
        try await check()
        try await session.expect(.release(id, priority: 0, delaySeconds: 100), .released)
        (expected.state, expected.releases) = (.delayed, 1)
        try await check()
        try await session.reserveJob(id)
        try await session.expect(.bury(id, priority: 0), .buried)
        (expected.state, expected.reserves, expected.buries) = (.buried, 3, 1)
        try await check()
        try await session.expect(.kickJob(id), .kickedJob)
        (expected.state, expected.kicks) = (.ready, 2)
        try await check()
        let holder = try await bed.distantSession()
        try await holder.reserve(bed.patience)
        holder.close()
        try await session.reserve(.microseconds(10_000_000))
        try await session.expect(.release(id, priority: 0, delaySeconds: 0), .released)
        (expected.state, expected.reserves, expected.releases) = (.ready, 5, 2)
        try await check()
    }

    private static func everyTubeCount(_ bed: TestBed) async throws {
        let session = bed.session()
        try await session.expect(.use(alpha), .using(alpha))
        try await session.expect(.watch(alpha), .watching(2))
        var jobs = JobCounts()
        func check(_ what: String, line: UInt = #line) async throws {
            try expect(try await session.statistics(of: alpha).jobs, is: jobs, what, line: line)
            try expect(try await session.statistics().jobs, is: jobs, what + ", store", line: line)
            try expect(
                try await session.statistics(of: TubeName.default).jobs,
                is: JobCounts(),
                what,
                line: line
            )
        }
        try await check("at first")
        let urgent = try await session.put([1, 2, 3], priority: 1_023)
        (jobs.urgent, jobs.ready, jobs.total, jobs.usedBytes, jobs.bodyBytes) = (1, 1, 1, 3, 3)
        try await check("urgent put")
        try await session.put([4, 5], priority: 1_024)
        (jobs.ready, jobs.total, jobs.usedBytes, jobs.bodyBytes) = (2, 2, 5, 5)
        try await check("put")
        let (delayed, put) = try await bed.timing { try await session.put([6], priority: 0, delay: 4) }
        (jobs.delayed, jobs.total, jobs.usedBytes, jobs.bodyBytes) = (1, 3, 6, 6)
        try await check("delayed put")
        try await session.reserve()
        (jobs.urgent, jobs.ready, jobs.reserved) = (0, 1, 1)
        try await check("reserve")
        try await session.expect(.release(urgent, priority: 5_000, delaySeconds: 0), .released)
        (jobs.ready, jobs.reserved) = (2, 0)
        try await check("release")
        try await session.reserveJob(urgent)
        try await session.expect(.bury(urgent, priority: 3), .buried)
        (jobs.ready, jobs.buried) = (1, 1)
        try await check("bury")
        try await bed.advance(past: 4, after: put)
        (jobs.urgent, jobs.ready, jobs.delayed) = (1, 2, 0)
        try await check("due")
        try await session.expect(.kick(1), .kicked(1))
        (jobs.urgent, jobs.ready, jobs.buried) = (2, 3, 0)
        try await check("kick")
        try await session.expect(.delete(urgent), .deleted)
        (jobs.urgent, jobs.ready, jobs.deleted, jobs.usedBytes, jobs.bodyBytes) = (1, 2, 1, 3, 3)
        try await check("delete")
        try await session.reserve()
        try await session.expect(.delete(delayed), .deleted)
        (jobs.urgent, jobs.ready, jobs.deleted, jobs.usedBytes, jobs.bodyBytes) = (0, 1, 2, 2, 2)
        try await check("reserve, delete")
        let brief = try await session.put([9], ttr: 2)
        let holder = bed.session()
        let (_, reserve) = try await bed.timing { try await holder.reserveJob(brief) }
        (jobs.reserved, jobs.total, jobs.usedBytes, jobs.bodyBytes) = (1, 4, 3, 3)
        try await check("reserve-job")
        try await bed.advance(past: 2, after: reserve)
        (jobs.urgent, jobs.ready, jobs.reserved) = (1, 2, 0)
        try await check("timeout")
    }

    private static func sessionCounts(_ bed: TestBed) async throws {
        let observer = bed.session()
        let first = bed.session()
        let second = try await bed.distantSession()
        func check(_ using: UInt64, _ watching: UInt64, _ waiting: UInt64, line: UInt = #line) async throws {
            try await bed.settle()
            let statistics = try await observer.statistics(of: alpha, line: line)
            try expect(statistics.name, is: alpha, line: line)
            try expect(statistics.sessionsUsing, is: using, "using", line: line)
            try expect(statistics.sessionsWatching, is: watching, "watching", line: line)
            try expect(statistics.sessionsWaiting, is: waiting, "waiting", line: line)
        }
        try await first.expect(.use(alpha), .using(alpha))
        try await first.expect(.use(alpha), .using(alpha))
        try await check(1, 0, 0)
        try await second.expect(.watch(alpha), .watching(2))
        try await second.expect(.watch(alpha), .watching(2))
        try await check(1, 1, 0)
        try await first.expect(.watch(alpha), .watching(2))
        try await first.beginWait()
        try await bed.untilWaiting(1)
        try await check(1, 2, 1)
        try await second.beginWait()
        try await bed.untilWaiting(2)
        try await check(1, 2, 2)
        try expect(try await observer.statistics(of: TubeName.default).sessionsWatching, is: 3)
        first.endWait()
        try expect(try await first.reply(), is: .timedOut)
        try await check(1, 2, 1)
        second.close()
        try await bed.untilWaiting(0)
        try await check(1, 1, 0)
        try await first.expect(.ignore(alpha), .watching(1))
        try await check(1, 0, 0)
    }
}

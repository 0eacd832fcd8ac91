import BeanspikeCore

/// What is kept over a restart is kept in milliseconds of the wall clock.
private let restartResolution = Duration.milliseconds(2)
private let steps: FixtureCapabilities = [.restart, .wallClockSteps]

extension Conformance {
    static let restartCases: [Case] = [
        Case("restart/state, priority, delay, TTR and counters are kept", needs: .restart) { bed in
            var session = bed.session()
            try await session.expect(.use(alpha), .using(alpha))
            let ready = try await session.put([1], priority: 7, ttr: 30)
            let delayed = try await session.put([2], priority: 8, delay: 1_000, ttr: 31)
            let buried = try await session.put([3], priority: 9, ttr: 0)
            try await session.reserveJob(ready)
            try await session.expect(.release(ready, priority: 17, delaySeconds: 0, isRetry: true), .released)
            try await session.reserveJob(buried)
            try await session.expect(.bury(buried, priority: 19, reason: "why not"), .buried)
            try await session.reserveJob(buried)
            try await session.expect(.release(buried, priority: 19, delaySeconds: 500), .released)
            try await session.expect(.kickJob(buried), .kickedJob)
            try await session.reserveJob(buried)
            try await session.expect(.bury(buried, priority: 29, reason: "why not"), .buried)
            var before: [JobStatistics] = []
            for id in [ready, delayed, buried] { before.append(try await session.statistics(of: id)) }
            try await bed.restart()
            session = bed.session()
            for expected in before {
                var now = try await session.statistics(of: expected.id)
                let slack: UInt64 = bed.can(.simulatedTime) ? 1 : 5
                try expect(now.timeLeftSeconds <= expected.timeLeftSeconds, is: true, "time left")
                try expect(expected.timeLeftSeconds - now.timeLeftSeconds <= slack, is: true, "time left")
                try expect(now.ageSeconds <= expected.ageSeconds + slack, is: true, "age")
                now.timeLeftSeconds = expected.timeLeftSeconds
                now.ageSeconds = expected.ageSeconds
                try expect(now, is: expected)
            }
            try await session.expect(.watch(alpha), .watching(2))
            let job = try await session.reserve()
            try expect(job.id, is: ready)
            try expect(job.body, is: [1])
            try expect(job.ttrSeconds, is: 30)
            try await session.expect(.reserve(.none), .timedOut)
            try expect(try await session.reserveJob(delayed).body, is: [2])
            try expect(try await session.reserveJob(buried).body, is: [3])
        },
        Case("restart/reserved jobs are ready again and no timeout is counted", needs: .restart) { bed in
            var session = bed.session()
            let id = try await session.put([1, 2], priority: 3, ttr: 100)
            try await session.reserve()
            try await bed.restart()
            session = bed.session()
            let statistics = try await session.statistics(of: id)
            try expect(statistics.lifecycle.state, is: .ready)
            try expect(statistics.lifecycle.timeouts, is: 0)
            try expect(try await session.reserve().body, is: [1, 2])
        },
        Case("restart/ids are never used again", needs: .restart) { bed in
            var session = bed.session()
            var seen: JobID = 0
            for _ in 0..<5 { seen = try await session.put() }
            try await session.expect(.truncate(.default), .truncated(5))
            for _ in 0..<4 {
                try await bed.restart()
                session = bed.session()
                try await session.expect(.reserve(.none), .timedOut)
                let id = try await session.put()
                try expect(id > seen, is: true, "id \(id) after \(seen)")
                seen = id
                try await session.expect(.delete(id), .deleted)
            }
        },
        Case("restart/deleted jobs stay deleted", needs: .restart) { bed in
            var session = bed.session()
            let ids = try await session.putAll((0..<300).map { .put([UInt8($0 & 255)]) })
            let doomed = stride(from: 0, to: 300, by: 3).map { ids[$0] }
            session.submit(doomed.map { Request(.delete($0)) })
            try await session.expectReplies(doomed.map { _ in .deleted })
            for _ in 0..<2 {
                try await bed.restart()
                session = bed.session()
                try expect(try await session.statistics().jobs.ready, is: 200)
            }
            for number in 0..<300 where !number.isMultiple(of: 3) {
                try expect(try await session.reserve().body, is: [UInt8(number & 255)])
            }
            try await session.expect(.reserve(.none), .timedOut)
        },
        Case("restart/the order of burial is kept", needs: .restart) { bed in
            var session = bed.session()
            var ids: [JobID] = []
            for _ in 0..<6 { ids.append(try await session.put()) }
            for id in [3, 1, 5, 0].map({ ids[$0] }) {
                try await session.reserveJob(id)
                try await session.expect(.bury(id, priority: 0), .buried)
            }
            try await bed.restart()
            session = bed.session()
            for id in [2, 4].map({ ids[$0] }) {
                try await session.reserveJob(id)
                try await session.expect(.bury(id, priority: 0), .buried)
            }
            try await bed.restart()
            session = bed.session()
            for id in [3, 1, 5, 0, 2, 4].map({ ids[$0] }) {
                try expect(try await session.found(.peekNext(.buried)).id, is: id)
                try await session.expect(.kick(1), .kicked(1))
            }
        },
        Case("restart/delayed jobs are due at their time", needs: .restart) { bed in
            var session = bed.session()
            let late = try await session.put(delay: 7)
            let (soon, put) = try await bed.timing { try await session.put(delay: 4) }
            try await bed.advance(seconds: 1)
            try await bed.restart(after: .seconds(1))
            session = bed.session()
            try expect(try await session.found(.peekNext(.delayed)).id, is: soon)
            try await bed.advance(toJustBefore: 4, after: put, resolution: restartResolution)
            try await session.expect(.reserve(.none), .timedOut)
            try await bed.advance(past: 4, after: put)
            try expect(try await session.reserve().id, is: soon)
            try await bed.restart(after: .milliseconds(3_500))
            session = bed.session()
            try await bed.settle()
            try expect(try await session.statistics().jobs.ready, is: 2)
            try await session.reserveJob(late)
        },
        Case("restart/a wall clock that was set back delays by no more than the delay", needs: steps) { bed in
            var session = bed.session()
            let id = try await session.put(delay: 3)
            let ((), opening) = try await bed.timing { try await bed.restart(wallStep: .seconds(-3_600)) }
            session = bed.session()
            try expect((2...3).contains(try await session.statistics(of: id).timeLeftSeconds), is: true)
            try expect(try await session.statistics(of: id).ageSeconds, is: 0)
            try await bed.advance(toJustBefore: 3, after: opening, resolution: restartResolution)
            try await session.expect(.reserve(.none), .timedOut)
            try await bed.advance(past: 3, after: opening)
            try expect(try await session.reserve().id, is: id)
        },
        Case("restart/a wall clock that was set back delays once, not at every start", needs: steps) { bed in
            var session = bed.session()
            let id = try await session.put(delay: 5)
            try await bed.restart(wallStep: .seconds(-3_600))
            session = bed.session()
            try await bed.advance(seconds: 2)
            try await bed.restart()
            session = bed.session()
            try expect((2...3).contains(try await session.statistics(of: id).timeLeftSeconds), is: true)
            try await bed.advance(seconds: 4)
            try expect(try await session.state(of: id), is: .ready)
            try await bed.restart()
            session = bed.session()
            try expect(try await session.state(of: id), is: .ready)
        },
        Case("restart/a wall clock that was set forward makes jobs due, once", needs: steps) { bed in
            var session = bed.session()
            let id = try await session.put(delay: 1_000)
            try await bed.restart(wallStep: .seconds(86_400))
            session = bed.session()
            try expect(try await session.state(of: id), is: .ready)
            try expect(try await session.reserve().id, is: id)
            try await session.expect(.reserve(.none), .timedOut)
        },
        Case("restart/attributes and large bodies are kept", needs: .restart) { bed in
            var session = bed.session()
            let body = patternedBody(count: 1_048_576, seed: 77)
            let full = try await session.put(body, attributes: fullAttributes)
            let empty = try await session.put([])
            for _ in 0..<2 {
                try await bed.restart()
                session = bed.session()
                let job = try await session.found(.peek(full))
                try expect(job.body == body, is: true, "the body")
                try expect(job.attributes, is: fullAttributes)
                try expect(try await session.found(.peek(empty)).body, is: [])
                let jobs = try await session.statistics().jobs
                try expect(jobs.usedBytes, is: 1_048_576)
                try expect(jobs.bodyBytes, is: 4_096)
                try expect(jobs.skippedBytes, is: 1_048_576)
                try expect(jobs.total, is: bed.can(.freshStart) ? 0 : min(jobs.total, 2), "total")
            }
        },
        Case("restart/tubes are those that have jobs, and nothing is paused", needs: .restart) { bed in
            var session = bed.session()
            try await session.expect(.use(alpha), .using(alpha))
            let id = try await session.put()
            try await session.expect(.pause(alpha, seconds: 1_000), .paused)
            try await session.expect(.use(beta), .using(beta))
            try await bed.restart()
            session = bed.session()
            try await session.expect(.tubes, .tubes([alpha, .default]))
            try await session.expect(.watch(alpha), .watching(2))
            // A store without a fresh start may keep the pause, and must then say so and let it be ended.
            let left = try await session.statistics(of: alpha).pauseLeftSeconds
            if !bed.can(.freshStart), left > 0 {
                try await session.expect(.reserve(.none), .timedOut)
                try await session.expect(.pause(alpha, seconds: 0), .paused)
            }
            try expect(try await session.reserve().id, is: id)
        },
    ]
}

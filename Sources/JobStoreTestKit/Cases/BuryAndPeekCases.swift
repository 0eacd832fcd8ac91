import BeanspikeCore

extension Conformance {
    static let buryAndKickCases: [Case] = [
        Case("kick/buried jobs in the order of burial, as many as asked for") { bed in
            let session = bed.session()
            var ids: [JobID] = []
            for _ in 0..<5 { ids.append(try await session.put()) }
            for number in [2, 0, 4, 1, 3] {
                try await session.reserveJob(ids[number])
                try await session.expect(.bury(ids[number], priority: UInt32(number)), .buried)
            }
            try await session.expect(.reserve(.none), .timedOut)
            for (bound, expected) in [(0, []), (1, [2]), (2, [0, 4]), (9, [1, 3])] as [(UInt64, [Int])] {
                try await session.expect(.kick(bound), .kicked(UInt64(expected.count)))
                for number in expected.sorted() {
                    let job = try await session.reserve()
                    try expect(job.id, is: ids[number])
                    try expect(job.priority, is: UInt32(number))
                }
            }
            try await session.expect(.kick(9), .kicked(0))
        },
        Case("kick/delayed jobs only when none is buried, the soonest first") { bed in
            let session = bed.session()
            let late = try await session.put(delay: 300)
            let soon = try await session.put(delay: 100)
            let middle = try await session.put(delay: 200)
            let buried = try await session.put()
            try await session.reserve()
            try await session.expect(.bury(buried, priority: 0), .buried)
            try await session.expect(.kick(10), .kicked(1))
            try expect(try await session.reserve().id, is: buried)
            try await session.expect(.kick(1), .kicked(1))
            try expect(try await session.reserve().id, is: soon)
            try await session.expect(.kick(10), .kicked(2))
            try expect(try await session.reserve().id, is: late)
            try expect(try await session.reserve().id, is: middle)
        },
        Case("kick/only in the used tube") { bed in
            let session = bed.session()
            let here = try await session.put(delay: 100)
            try await session.expect(.use(alpha), .using(alpha))
            try await session.expect(.kick(10), .kicked(0))
            try expect(try await session.state(of: here), is: .delayed)
        },
        Case("kick/one job by its number, from any tube") { bed in
            let session = bed.session()
            let delayed = try await session.put(delay: 100)
            let buried = try await session.put()
            try await session.reserve()
            try await session.expect(.bury(buried, priority: 0), .buried)
            try await session.expect(.use(alpha), .using(alpha))
            for id in [buried, delayed] {
                try await session.expect(.kickJob(id), .kickedJob)
                try await session.expect(.kickJob(id), .notFound)
                try expect(try await session.state(of: id), is: .ready)
                try expect(try await session.statistics(of: id).lifecycle.kicks, is: 1)
            }
            try await session.expect(.kickJob(99), .notFound)
        },
        Case("kick/hands jobs to who waits") { bed in
            let session = bed.session()
            let waiter = try await bed.distantSession()
            let id = try await session.put()
            try await session.reserve()
            try await session.expect(.bury(id, priority: 0), .buried)
            try await waiter.beginWait()
            try await session.expect(.kick(1), .kicked(1))
            try expect(try await waiter.reserved().id, is: id)
        },
        Case("bury/a job that is buried again goes to the end") { bed in
            let session = bed.session()
            var ids: [JobID] = []
            for _ in 0..<3 { ids.append(try await session.put()) }
            for id in ids + [ids[0]] {
                try await session.reserveJob(id)
                try await session.expect(.bury(id, priority: 0), .buried)
            }
            for id in [ids[1], ids[2], ids[0]] {
                try expect(try await session.found(.peekNext(.buried)).id, is: id)
                try await session.expect(.kick(1), .kicked(1))
            }
        },
    ]

    static let peekCases: [Case] = [
        Case("peek/shows any job in any state and changes nothing") { bed in
            let session = bed.session()
            let other = try await bed.distantSession()
            let ready = try await session.put([1], priority: 5)
            let delayed = try await session.put([2, 2], delay: 100)
            let reserved = try await session.put([3, 3, 3], priority: 1)
            try await session.reserve()
            for (id, body) in [(ready, [1]), (delayed, [2, 2]), (reserved, [3, 3, 3])] as [(JobID, [UInt8])] {
                var before = try await session.statistics(of: id)
                let job = try await other.found(.peek(id))
                try expect(job.id, is: id)
                try expect(job.body, is: body)
                let after = try await session.statistics(of: id)
                if !bed.can(.simulatedTime) {
                    // Time went on meanwhile.
                    (before.ageSeconds, before.timeLeftSeconds) = (after.ageSeconds, after.timeLeftSeconds)
                }
                try expect(after, is: before)
            }
            try await session.expect(.peek(99), .notFound)
        },
        Case("peek/next of each state in the used tube") { bed in
            let session = bed.session()
            for state in [JobState.ready, .delayed, .buried] {
                try await session.expect(.peekNext(state), .notFound)
            }
            try await session.put(priority: 2)
            let ready = try await session.put(priority: 1)
            try await session.put(priority: 1)
            try await session.put(delay: 300)
            let delayed = try await session.put(delay: 200)
            var buried: [JobID] = []
            for _ in 0..<2 {
                let id = try await session.put(priority: 0)
                try await session.reserve()
                try await session.expect(.bury(id, priority: 0), .buried)
                buried.append(id)
            }
            try expect(try await session.found(.peekNext(.ready)).id, is: ready)
            try expect(try await session.found(.peekNext(.delayed)).id, is: delayed)
            try expect(try await session.found(.peekNext(.buried)).id, is: buried[0])
            try await session.expect(.use(alpha), .using(alpha))
            for state in [JobState.ready, .delayed, .buried] {
                try await session.expect(.peekNext(state), .notFound)
            }
        },
        Case("peek/soonest delayed job follows kick, delete and release") { bed in
            let session = bed.session()
            let late = try await session.put(delay: 300)
            let middle = try await session.put(delay: 200)
            let soon = try await session.put(delay: 100)
            try expect(try await session.found(.peekNext(.delayed)).id, is: soon)
            try await session.expect(.kick(1), .kicked(1))
            try expect(try await session.found(.peekNext(.delayed)).id, is: middle)
            try await session.expect(.delete(middle), .deleted)
            try expect(try await session.found(.peekNext(.delayed)).id, is: late)
            try expect(try await session.reserve().id, is: soon)
            try await session.expect(.release(soon, priority: 0, delaySeconds: 250), .released)
            try expect(try await session.found(.peekNext(.delayed)).id, is: soon)
        },
    ]
}

import BeanspikeCore

extension Conformance {
    static let reservationCases: [Case] = [
        Case("reservation/times out, is ready again, and counts it") { bed in
            let holder = bed.session()
            let other = try await bed.distantSession()
            let id = try await holder.put(priority: 3, ttr: 2)
            let (_, reserve) = try await bed.timing { try await holder.reserve() }
            try await bed.advance(toJustBefore: 2, after: reserve)
            try expect(try await other.state(of: id), is: .reserved)
            try await bed.advance(past: 2, after: reserve)
            let statistics = try await other.statistics(of: id)
            try expect(statistics.lifecycle.state, is: .ready)
            try expect(statistics.lifecycle.timeouts, is: 1)
            try expect(statistics.lifecycle.releases, is: 0)
            try await bed.settle()
            try expect(try await other.statistics().timeouts, is: 1)
            try expect(try await other.reserve().reserves, is: 2)
        },
        Case("reservation/time out hands the job to who waits") { bed in
            let holder = bed.session()
            let waiter = try await bed.distantSession()
            let id = try await holder.put(ttr: 1)
            try await holder.reserve()
            try await waiter.beginWait()
            try await bed.advanceToReply(seconds: 1)
            try expect(try await waiter.reserved().id, is: id)
        },
        Case("reservation/touch starts the time anew") { bed in
            let session = bed.session()
            let id = try await session.put(ttr: 2)
            try await session.reserve()
            try await bed.advance(seconds: 1)
            let (_, touch) = try await bed.timing { try await session.expect(.touch(id), .touched) }
            try await bed.advance(toJustBefore: 2, after: touch)
            try expect(try await session.state(of: id), is: .reserved)
            try await bed.advance(past: 2, after: touch)
            try expect(try await session.state(of: id), is: .ready)
        },
        Case("reservation/without TTR never times out") { bed in
            let session = bed.session()
            let id = try await session.put(ttr: 0)
            try expect(try await session.reserve().ttrSeconds, is: 0)
            try await bed.advance(seconds: 2)
            try await session.expect(.touch(id), .touched)
            try await session.expect(.reserve(.none), .timedOut)
            let statistics = try await session.statistics(of: id)
            try expect(statistics.lifecycle.state, is: .reserved)
            try expect(statistics.timeLeftSeconds, is: 0)
            try await session.expect(.delete(id), .deleted)
        },
        Case("reservation/the late holder has lost it") { bed in
            let holder = bed.session()
            let other = try await bed.distantSession()
            var ids: [JobID] = []
            for _ in 0..<4 { ids.append(try await other.put(ttr: 2)) }
            for id in ids { try await holder.reserveJob(id) }
            let ((), last) = try await bed.timing { try await holder.expect(.touch(ids[3]), .touched) }
            try await bed.advance(past: 2, after: last)
            for id in ids { try expect(try await other.reserve().id, is: id) }
            holder.submit(
                .touch(ids[0]),
                .release(ids[1], priority: 0, delaySeconds: 0),
                .bury(ids[2], priority: 0),
                .delete(ids[3])
            )
            try await holder.expectReplies([.notFound, .notFound, .notFound, .notFound])
            other.submit(ids.map { Request(.release($0, priority: 0, delaySeconds: 0)) })
            try await other.expectReplies(ids.map { _ in .released })
        },
        Case("reservation/the late holder of a job that is ready may only delete it") { bed in
            let holder = bed.session()
            let id = try await holder.put(ttr: 1)
            let (_, reserve) = try await bed.timing { try await holder.reserve() }
            try await bed.advance(past: 1, after: reserve)
            try await holder.expect(.touch(id), .notFound)
            try await holder.expect(.release(id, priority: 0, delaySeconds: 0), .notFound)
            try await holder.expect(.bury(id, priority: 0), .notFound)
            try await holder.expect(.delete(id), .deleted)
        },
        Case("reservation/who takes the best ones does not get what others took, deleted, made ready or put meanwhile")
        { bed in
            let session = bed.session()
            let other = try await bed.distantSession()
            var ids: [JobID] = []
            for _ in 0..<12 { ids.append(try await session.put(priority: 5)) }
            for id in ids[..<4] { try expect(try await session.reserve().id, is: id) }
            try await session.reserveJob(ids[4])
            try expect(try await session.reserve().id, is: ids[5])
            try await session.expect(.delete(ids[6]), .deleted)
            try expect(try await session.reserve().id, is: ids[7])
            try await other.reserveJob(ids[8])
            try expect(try await session.reserve().id, is: ids[9])
            try await session.expect(.release(ids[1], priority: 1, delaySeconds: 0), .released)
            try await session.expect(.release(ids[2], priority: 5, delaySeconds: 0), .released)
            try await other.expect(.delete(ids[10]), .deleted)
            let last = try await session.put(priority: 5)
            for id in [ids[1], ids[2], ids[11], last] { try expect(try await session.reserve().id, is: id) }
            try await session.expect(.reserve(.none), .timedOut)
            try await session.expect(.delete(ids[4]), .deleted)
            try await other.expect(.delete(ids[8]), .deleted)
        },
        Case("reservation/release sets priority and delay") { bed in
            let session = bed.session()
            let id = try await session.put(priority: 1)
            let other = try await session.put(priority: 2)
            try await session.reserve()
            try await session.expect(.release(id, priority: 5, delaySeconds: 0), .released)
            try expect(try await session.reserve().id, is: other)
            try expect(try await session.reserve().priority, is: 5)
            let ((), release) = try await bed.timing {
                try await session.expect(.release(id, priority: 6, delaySeconds: 2), .released)
            }
            let delayed = try await session.statistics(of: id).lifecycle
            try expect(delayed.state, is: .delayed)
            try expect(delayed.priority, is: 6)
            try expect(delayed.delaySeconds, is: 2)
            try expect(delayed.releases, is: 2)
            try await bed.advance(toJustBefore: 2, after: release)
            try await session.expect(.reserve(.none), .timedOut)
            try await bed.advance(past: 2, after: release)
            try expect(try await session.reserve().priority, is: 6)
        },
        Case("reservation/reserve-job takes ready, delayed and buried jobs, and no reserved one") { bed in
            let session = bed.session()
            let other = try await bed.distantSession()
            let ready = try await session.put()
            let delayed = try await session.put(delay: 100)
            let buried = try await session.put()
            try await session.reserveJob(buried)
            try await session.expect(.bury(buried, priority: 0), .buried)
            for id in [ready, delayed, buried] {
                try expect(try await session.reserveJob(id).id, is: id)
                try expect(try await session.state(of: id), is: .reserved)
                try await session.expect(.reserveJob(id), .notFound)
                try await other.expect(.reserveJob(id), .notFound)
            }
            try await session.expect(.reserveJob(99), .notFound)
            try await session.expect(.kick(9), .kicked(0))
            try expect(try await session.statistics(of: TubeName.default).jobs.reserved, is: 3)
        },
        Case("reservation/reserve-job needs no watching and no using") { bed in
            let session = bed.session()
            try await session.expect(.use(alpha), .using(alpha))
            let id = try await session.put()
            try expect(try await bed.session().reserveJob(id).id, is: id)
        },
        Case("reservation/closing a session frees its jobs at once and counts no timeout") { bed in
            let holder = bed.session()
            let other = try await bed.distantSession()
            var ids: [JobID] = []
            for priority in [4, 2, 3] as [UInt32] {
                ids.append(try await holder.put(priority: priority, ttr: 100))
            }
            for _ in 0..<3 { try await holder.reserve() }
            holder.close()
            try await bed.settle()
            for (id, priority) in [(ids[1], 2), (ids[2], 3), (ids[0], 4)] as [(JobID, UInt32)] {
                let job = try await other.reserve(.microseconds(10_000_000))
                try expect(job.id, is: id)
                try expect(job.priority, is: priority)
                try expect(try await other.statistics(of: id).lifecycle.timeouts, is: 0)
                try expect(try await other.statistics(of: id).lifecycle.releases, is: 0)
            }
            try expect(try await other.statistics().timeouts, is: 0)
        },
        Case("reservation/closing a session hands its job to who waits") { bed in
            let holder = bed.session()
            let waiter = try await bed.distantSession()
            let id = try await holder.put([1, 2, 3], ttr: 100)
            try await holder.reserve()
            try await waiter.beginWait()
            holder.close()
            let job = try await waiter.reserved()
            try expect(job.id, is: id)
            try expect(job.body, is: [1, 2, 3])
        },
    ]

    static let ownershipCases: [Case] = [
        Case("ownership/delete in each state, once") { bed in
            let session = bed.session()
            let ready = try await session.put(priority: 9)
            let delayed = try await session.put(delay: 100)
            let buried = try await session.put()
            try await session.reserve()
            try await session.expect(.bury(buried, priority: 0), .buried)
            let reserved = try await session.put()
            try await session.reserve()
            for id in [ready, delayed, buried, reserved] {
                try await session.expect(.delete(id), .deleted)
                try await session.expect(.delete(id), .notFound)
                try await session.expect(.peek(id), .notFound)
                try await session.expect(.jobStatistics(id), .notFound)
                try await session.expect(.reserveJob(id), .notFound)
                try await session.expect(.kickJob(id), .notFound)
            }
            try expect(try await session.statistics().jobs.present, is: 0)
            try expect(try await session.statistics().jobs.deleted, is: 4)
        },
        Case("ownership/another session's reservation is not to be had") { bed in
            let holder = bed.session()
            let neighbour = bed.session()
            let stranger = try await bed.distantSession()
            let id = try await holder.put()
            try await holder.reserve()
            for session in [neighbour, stranger] {
                try await session.expect(.delete(id), .notFound)
                try await session.expect(.release(id, priority: 0, delaySeconds: 0), .notFound)
                try await session.expect(.bury(id, priority: 0), .notFound)
                try await session.expect(.touch(id), .notFound)
                try await session.expect(.reserveJob(id), .notFound)
                try await session.expect(.kickJob(id), .notFound)
            }
            try await holder.expect(.delete(id), .deleted)
        },
        Case("ownership/only what is reserved can be released, buried or touched") { bed in
            let session = bed.session()
            let ready = try await session.put()
            let delayed = try await session.put(delay: 100)
            for id in [ready, delayed, 99, 0, .max] {
                try await session.expect(.release(id, priority: 0, delaySeconds: 0), .notFound)
                try await session.expect(.bury(id, priority: 0), .notFound)
                try await session.expect(.touch(id), .notFound)
            }
            try await session.expect(.kickJob(ready), .notFound)
            try await session.expect(.delete(99), .notFound)
        },
        Case("ownership/a session's number used again owns nothing of before") { bed in
            let first = bed.session()
            let id = try await first.put()
            try await first.reserve()
            first.close()
            let second = bed.session()
            try await second.expect(.touch(id), .notFound)
            try await second.expect(.tubeUsed, .using(.default))
            try expect(try await second.reserve(.microseconds(10_000_000)).id, is: id)
        },
    ]
}

import BeanspikeCore

extension Conformance {
    static let waitCases: [Case] = [
        Case("wait/answered by a put") { bed in
            let waiter = bed.session()
            let producer = try await bed.distantSession()
            try await waiter.beginWait()
            try await bed.settle()
            try expect(try await producer.statistics(of: TubeName.default).sessionsWaiting, is: 1)
            let id = try await producer.put([7, 8])
            let job = try await waiter.reserved()
            try expect(job.id, is: id)
            try expect(job.body, is: [7, 8])
            try expect(waiter.isBlocked, is: false)
            try await bed.settle()
            try expect(try await producer.statistics(of: TubeName.default).sessionsWaiting, is: 0)
        },
        Case("wait/first to wait is first served") { bed in
            let producer = bed.session()
            var waiters: [TestSession] = []
            for number in 1...7 {
                waiters.append(number.isMultiple(of: 2) ? bed.session() : try await bed.rivalSession())
                try await waiters[number - 1].beginWait()
                try await bed.untilWaiting(UInt64(number))
            }
            for number in 1...7 {
                let id = try await producer.put(priority: UInt32(100 - number))
                try expect(try await waiters[number - 1].reserved().id, is: id)
            }
        },
        Case("wait/over after its time, not before") { bed in
            let session = bed.session()
            let ((), wait) = try await bed.timing { try await session.beginWait(.microseconds(2_000_000)) }
            try await bed.advance(toJustBefore: 2, after: wait)
            try session.expectWaiting()
            try await bed.advance(past: 2, after: wait)
            try expect(try await session.reply(), is: .timedOut)
            try expect(session.isBlocked, is: false)
            let id = try await session.put()
            try expect(try await session.reserve().id, is: id)
        },
        Case("wait/none is answered at once") { bed in
            let session = bed.session()
            try await session.expect(.reserve(.none), .timedOut)
            try await session.expect(.reserve(.microseconds(0)), .timedOut)
            try expect(session.isBlocked, is: false)
        },
        Case("wait/one that is over gets no job") { bed in
            let late = bed.session()
            let patient = bed.session()
            try await late.beginWait(.microseconds(1_000_000))
            try await bed.untilWaiting(1)
            try await patient.beginWait()
            try await bed.advanceToReply(seconds: 1)
            try expect(try await late.reply(), is: .timedOut)
            let id = try await late.put()
            try expect(try await patient.reserved().id, is: id)
        },
        Case("wait/ended by the caller") { bed in
            let session = bed.session()
            let producer = try await bed.distantSession()
            try await session.beginWait()
            session.endWait()
            try expect(try await session.reply(), is: .timedOut)
            try await bed.settle()
            let id = try await producer.put()
            try await session.expect(.tubeUsed, .using(.default))
            try expect(try await producer.reserve().id, is: id)
            session.endWait()
            try await session.expect(.tubeUsed, .using(.default))
            // That was for no wait, and is not kept for the next.
            try await session.beginWait()
            try await bed.settle()
            let next = try await producer.put()
            try expect(try await session.reserved().id, is: next)
        },
        Case("wait/ended with its session, which gets no job") { bed in
            let session = bed.session()
            let next = try await bed.distantSession()
            try await session.beginWait()
            try await bed.untilWaiting(1)
            try await next.beginWait()
            try await bed.untilWaiting(2)
            session.close()
            let producer = bed.session()
            try await bed.untilWaiting(1)
            let id = try await producer.put()
            try expect(try await next.reserved().id, is: id)
        },
        Case("wait/on several tubes gets exactly one job") { bed in
            let waiter = bed.session()
            let producer = try await bed.distantSession()
            for tube in [alpha, beta, gamma] { _ = try await waiter.run(.watch(tube)) }
            try await waiter.beginWait()
            try await bed.settle()
            for tube in [alpha, beta, gamma] {
                try expect(try await producer.statistics(of: tube).sessionsWaiting, is: 1)
            }
            var ids: [JobID] = []
            for tube in [beta, alpha, gamma] {
                try await producer.expect(.use(tube), .using(tube))
                ids.append(try await producer.put())
            }
            // The first of them, unless word of it comes to the waiter's instance later than the others' own.
            let taken = try await waiter.reserved().id
            try expect(bed.isPrompt ? taken == ids[0] : ids.contains(taken), is: true, "job \(taken) of \(ids)")
            try await waiter.expect(.tubeUsed, .using(.default))
            try await bed.settle()
            try expect(try await producer.statistics().jobs.reserved, is: 1)
            try expect(try await producer.statistics().jobs.ready, is: 2)
            try expect(try await producer.statistics().sessionsWaiting, is: 0)
        },
        Case("wait/one job for two who wait") { bed in
            let producer = bed.session()
            let waiters = [bed.session(), try await bed.rivalSession()]
            try await waiters[0].beginWait(.microseconds(3_000_000))
            try await bed.untilWaiting(1)
            let ((), wait) = try await bed.timing { try await waiters[1].beginWait(.microseconds(3_000_000)) }
            try await bed.untilWaiting(2)
            let id = try await producer.put()
            try expect(try await waiters[0].reserved().id, is: id)
            try await bed.settle()
            try waiters[1].expectWaiting()
            try await bed.advance(past: 3, after: wait)
            try expect(try await waiters[1].reply(), is: .timedOut)
        },
        Case("wait/jobs for those who wait in two instances, one for each", needs: .sharing) { bed in
            let producer = bed.session()
            var waiters: [TestSession] = []
            for number in 1...4 {
                waiters.append(number.isMultiple(of: 2) ? bed.session() : try await bed.distantSession())
                try await waiters[number - 1].beginWait()
                try await bed.untilWaiting(UInt64(number))
            }
            var ids = try await producer.putAll((0..<3).map { .put([$0]) })
            try await bed.settle()
            var taken = try waiters.compactMap { try $0.poll() }
            try expect(taken.count, is: 3, "who wait no longer")
            let left = waiters.filter(\.isBlocked)
            try expect(left.count, is: 1, "who wait still")
            ids.append(try await producer.put())
            for waiter in left { taken.append(.reserved(try await waiter.reserved())) }
            let jobs = taken.compactMap { reply -> JobID? in
                guard case .reserved(let job) = reply else { return nil }
                return job.id
            }
            try expect(jobs.sorted(), is: ids)
            try await producer.expect(.reserve(.none), .timedOut)
        },
        Case("wait/a job that is not watched does not end it") { bed in
            let waiter = bed.session()
            let producer = try await bed.distantSession()
            try await waiter.beginWait()
            try await producer.expect(.use(alpha), .using(alpha))
            try await producer.put()
            try await producer.put(delay: 100)
            try await bed.settle()
            try waiter.expectWaiting()
            try expect(try await producer.statistics().jobs.ready, is: 1)
        },
        Case("wait/answered by a release, with the priority that it set") { bed in
            let holder = bed.session()
            let waiter = try await bed.distantSession()
            let id = try await holder.put(priority: 1)
            try await holder.reserve()
            try await waiter.beginWait()
            try await holder.expect(.release(id, priority: 77, delaySeconds: 0), .released)
            try expect(try await waiter.reserved().priority, is: 77)
        },
    ]

    static let deadlineCases: [Case] = [
        Case("deadline soon/a reserve in the last second, when nothing is ready") { bed in
            let session = bed.session()
            let id = try await session.put(ttr: 3)
            let (_, reserve) = try await bed.timing { try await session.reserve() }
            try await session.expect(.reserve(.none), .timedOut)
            try await bed.advance(past: 2, after: reserve)
            // Together, since where time is real there is less than a second for them.
            session.submit(
                .reserve(.none),
                .reserve(.forever),
                .reserve(.microseconds(5_000_000)),
                .touch(id),
                .reserve(.none)
            )
            try await session.expectReplies([.deadlineSoon, .deadlineSoon, .deadlineSoon, .touched, .timedOut])
            try expect(session.isBlocked, is: false)
        },
        Case("deadline soon/told to who waits when the last second begins") { bed in
            let session = bed.session()
            try await session.put(ttr: 3)
            let (_, reserve) = try await bed.timing { try await session.reserve() }
            try await session.beginWait()
            try await bed.advance(toJustBefore: 2, after: reserve)
            try session.expectWaiting()
            try await bed.advance(past: 2, after: reserve)
            try expect(try await session.reply(), is: .deadlineSoon)
            try expect(try await session.statistics().sessionsWaiting, is: 0)
        },
        Case("deadline soon/not where a job is ready, not for reserve-job, not without TTR") { bed in
            let session = bed.session()
            let id = try await session.put(ttr: 1)
            let named = try await session.put(delay: 1_000, ttr: 0)
            let (_, reserve) = try await bed.timing { try await session.reserve() }
            session.submit([
                Request(.reserve(.none)), Request(.reserveJob(named)), .put([3], ttr: 0), Request(.reserve(.none)),
            ])
            try expect(try await session.reply(), is: .deadlineSoon)
            try expect(try await session.reserved().id, is: named)
            let inserted = try await session.reply()
            try expect(inserted, is: .inserted(try await session.reserved().id))
            try await bed.advance(past: 1, after: reserve)
            try expect(try await session.reserve().id, is: id)
            try await session.expect(.delete(id), .deleted)
            try await session.expect(.reserve(.none), .timedOut)
        },
        Case("deadline soon/of the session's own jobs only, the soonest of them") { bed in
            let session = bed.session()
            let other = bed.session()
            try await session.put(ttr: 100)
            let id = try await session.put(ttr: 1)
            try await session.reserve()
            let job = try await session.found(.peek(id)).reservedOnce
            other.submit(.reserve(.none), .reserve(.none))
            try await other.expectReplies([.reserved(job), .deadlineSoon])
            try await session.expect(.reserve(.none), .timedOut)
            other.submit(.delete(id), .reserve(.none))
            try await other.expectReplies([.deleted, .timedOut])
        },
    ]
}

extension TestJob {
    /// The job as it is once it is reserved one time more.
    fileprivate var reservedOnce: TestJob {
        var job = self
        job.reserves += 1
        return job
    }
}

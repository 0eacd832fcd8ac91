import BeanspikeCore

extension Conformance {
    static let waitCases: [Case] = [
        Case("wait/answered by a put") { bed in
            let waiter = bed.session()
            let producer = try await bed.distantSession()
            try await waiter.beginWait()
            try expect(try await producer.statistics(of: TubeName.default).sessionsWaiting, is: 1)
            let id = try await producer.put([7, 8])
            let job = try await waiter.reserved()
            try expect(job.id, is: id)
            try expect(job.body, is: [7, 8])
            try expect(waiter.isBlocked, is: false)
            try expect(try await producer.statistics(of: TubeName.default).sessionsWaiting, is: 0)
        },
        Case("wait/first to wait is first served") { bed in
            let producer = bed.session()
            var waiters: [TestSession] = []
            for number in 1...7 {
                waiters.append(number.isMultiple(of: 2) ? bed.session() : try await bed.distantSession())
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
            try await session.beginWait(.microseconds(2_000_000))
            try await bed.advance(almost: 2)
            try session.expectWaiting()
            try await bed.advanceToInstant()
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
            try await bed.advance(seconds: 1)
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
            try await producer.put()
            try await session.expect(.tubeUsed, .using(.default))
            try expect(try await producer.reserve().id, is: 1)
            session.endWait()
            try await session.expect(.tubeUsed, .using(.default))
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
            for tube in [alpha, beta, gamma] {
                try expect(try await producer.statistics(of: tube).sessionsWaiting, is: 1)
            }
            for tube in [beta, alpha, gamma] {
                try await producer.expect(.use(tube), .using(tube))
                try await producer.put()
            }
            try expect(try await waiter.reserved().id, is: 1)
            try await waiter.expect(.tubeUsed, .using(.default))
            try expect(try await producer.statistics().jobs.reserved, is: 1)
            try expect(try await producer.statistics().jobs.ready, is: 2)
            try expect(try await producer.statistics().sessionsWaiting, is: 0)
        },
        Case("wait/one job for two who wait") { bed in
            let producer = bed.session()
            let waiters = [bed.session(), try await bed.distantSession()]
            for (number, waiter) in waiters.enumerated() {
                try await waiter.beginWait(.microseconds(1_000_000))
                try await bed.untilWaiting(UInt64(number + 1))
            }
            let id = try await producer.put()
            try expect(try await waiters[0].reserved().id, is: id)
            try waiters[1].expectWaiting()
            try await bed.advance(seconds: 1)
            try expect(try await waiters[1].reply(), is: .timedOut)
        },
        Case("wait/a job that is not watched does not end it") { bed in
            let waiter = bed.session()
            let producer = try await bed.distantSession()
            try await waiter.beginWait()
            try await producer.expect(.use(alpha), .using(alpha))
            try await producer.put()
            try await producer.put(delay: 100)
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
            try await session.reserve()
            try await session.expect(.reserve(.none), .timedOut)
            try await bed.advance(seconds: 2)
            try await bed.settle()
            try await session.expect(.reserve(.none), .deadlineSoon)
            try await session.expect(.reserve(.forever), .deadlineSoon)
            try await session.expect(.reserve(.microseconds(5_000_000)), .deadlineSoon)
            try expect(session.isBlocked, is: false)
            try await session.expect(.touch(id), .touched)
            try await session.expect(.reserve(.none), .timedOut)
        },
        Case("deadline soon/told to who waits when the last second begins") { bed in
            let session = bed.session()
            try await session.put(ttr: 3)
            try await session.reserve()
            try await session.beginWait()
            try await bed.advance(almost: 2)
            try session.expectWaiting()
            try await bed.advanceToInstant()
            try expect(try await session.reply(), is: .deadlineSoon)
            try expect(try await session.statistics().sessionsWaiting, is: 0)
        },
        Case("deadline soon/not where a job is ready, not for reserve-job, not without TTR") { bed in
            let session = bed.session()
            try await session.put(ttr: 1)
            try await session.reserve()
            try await session.expect(.reserve(.none), .deadlineSoon)
            let ready = try await session.put(ttr: 0)
            try expect(try await session.reserve().id, is: ready)
            let named = try await session.put(priority: 8, ttr: 0)
            try await session.reserveJob(named)
            try await bed.advance(seconds: 1)
            try await bed.settle()
            try expect(try await session.reserve().id, is: 1)
            try await session.expect(.delete(1), .deleted)
            try await session.expect(.reserve(.none), .timedOut)
        },
        Case("deadline soon/of the session's own jobs only, the soonest of them") { bed in
            let session = bed.session()
            let other = bed.session()
            try await session.put(ttr: 100)
            try await session.put(ttr: 1)
            try await session.reserve()
            try await other.expect(.reserve(.none), .reserved(try await session.found(.peek(2)).reservedOnce))
            try await session.expect(.reserve(.none), .timedOut)
            try await other.expect(.reserve(.none), .deadlineSoon)
            try await other.expect(.delete(2), .deleted)
            try await other.expect(.reserve(.none), .timedOut)
        },
    ]

    static let pipelineCases: [Case] = [
        Case("pipeline/replies in the order of the commands") { bed in
            let session = bed.session()
            var requests: [Request] = []
            for number in 0..<300 {
                requests.append(.put([UInt8(number % 256)], priority: UInt32(number)))
                requests.append(Request(.tubeUsed))
                requests.append(Request(.reserve(.none)))
                requests.append(Request(.delete(JobID(number + 1))))
            }
            session.submit(requests)
            for number in 0..<300 {
                try expect(try await session.reply(), is: .inserted(JobID(number + 1)))
                try expect(try await session.reply(), is: .using(.default))
                try expect(try await session.reserved().body, is: [UInt8(number % 256)])
                try expect(try await session.reply(), is: .deleted)
            }
        },
        Case("pipeline/commands behind a waiting reserve run after it") { bed in
            let session = bed.session()
            let producer = try await bed.distantSession()
            session.submit(
                Request(.reserve(.forever)),
                .put([9]),
                Request(.use(alpha)),
                Request(.reserve(.forever)),
                Request(.delete(1)),
                Request(.tubeUsed)
            )
            try await session.untilWaiting()
            try await bed.untilWaiting(1)
            try await producer.expect(.tubeStatistics(alpha), .notFound)
            try expect(try await producer.statistics().jobs.total, is: 0)
            let id = try await producer.put([1])
            try expect(try await session.reserved().id, is: id)
            try expect(try await session.reply(), is: .inserted(2))
            try expect(try await session.reply(), is: .using(alpha))
            try expect(try await session.reserved().body, is: [9])
            try expect(try await session.reply(), is: .deleted)
            try expect(try await session.reply(), is: .using(alpha))
        },
        Case("pipeline/commands sent while the session waits run after it") { bed in
            let session = bed.session()
            try await session.beginWait()
            session.submit(.put([5]))
            session.submit(.tubeUsed)
            try session.expectWaiting()
            session.endWait()
            try expect(try await session.reply(), is: .timedOut)
            try expect(try await session.reply(), is: .inserted(1))
            try expect(try await session.reply(), is: .using(.default))
        },
        Case("pipeline/changes asked for before a close are carried out") { bed in
            let session = bed.session()
            session.submit(.put([1]), .put([2]), .put([3]))
            session.close()
            let other = bed.session()
            for body in 1...3 as ClosedRange<UInt8> {
                try expect(try await other.reserve(.microseconds(10_000_000)).body, is: [body])
            }
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

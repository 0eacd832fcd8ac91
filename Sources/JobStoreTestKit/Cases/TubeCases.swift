import BeanspikeCore

extension Conformance {
    static let tubeCases: [Case] = [
        Case("tubes/used and watched at first: default") { bed in
            let session = bed.session()
            try await session.expect(.tubeUsed, .using(.default))
            try await session.expect(.tubesWatched, .tubes([.default]))
            try await session.expect(.tubes, .tubes([.default]))
        },
        Case("tubes/watch and ignore count, the last one stays") { bed in
            let session = bed.session()
            try await session.expect(.watch(alpha), .watching(2))
            try await session.expect(.watch(alpha), .watching(2))
            try await session.expect(.watch(.default), .watching(2))
            try await session.expect(.ignore(beta), .watching(2))
            try await session.expect(.ignore(.default), .watching(1))
            try await session.expect(.ignore(beta), .watching(1))
            try await session.expect(.ignore(alpha), .notIgnored)
            try await session.expect(.tubesWatched, .tubes([alpha]))
        },
        Case("tubes/exist while they have jobs, users or watchers") { bed in
            let session = bed.session()
            let observer = bed.session()
            try await session.expect(.use(alpha), .using(alpha))
            try await observer.expect(.tubes, .tubes([alpha, .default]))
            let id = try await session.put()
            try await session.expect(.use(beta), .using(beta))
            try await session.expect(.watch(gamma), .watching(2))
            try await observer.expect(.tubes, .tubes([alpha, beta, .default, gamma]))
            try expect(try await observer.statistics().tubes, is: 4)
            try await session.expect(.use(.default), .using(.default))
            try await session.expect(.ignore(gamma), .watching(1))
            try await observer.expect(.tubes, .tubes([alpha, .default]))
            for tube in [beta, gamma] {
                try await observer.expect(.tubeStatistics(tube), .notFound)
                try await observer.expect(.pause(tube, seconds: 1), .notFound)
            }
            try await session.expect(.delete(id), .deleted)
            try await observer.expect(.tubes, .tubes([.default]))
        },
        Case("tubes/go with the session that used and watched them") { bed in
            let session = bed.session()
            let observer = bed.session()
            try await session.expect(.use(alpha), .using(alpha))
            try await session.expect(.watch(beta), .watching(2))
            try await session.expect(.ignore(.default), .watching(1))
            try await observer.expect(.tubes, .tubes([alpha, beta, .default]))
            session.close()
            try await bed.settle()
            try await observer.expect(.tubes, .tubes([.default]))
            let statistics = try await observer.statistics(of: TubeName.default)
            try expect(statistics.sessionsUsing, is: 1)
            try expect(statistics.sessionsWatching, is: 1)
        },
        Case("tubes/a job stays in its tube") { bed in
            let session = bed.session()
            try await session.expect(.use(alpha), .using(alpha))
            let id = try await session.put()
            try await session.expect(.use(beta), .using(beta))
            try await session.reserveJob(id)
            try await session.expect(.release(id, priority: 0, delaySeconds: 0), .released)
            try expect(try await session.statistics(of: id).tube, is: alpha)
        },
        Case("tubes/many of them") { bed in
            let session = bed.session()
            var names: [TubeName] = [.default]
            var ids: [JobID] = []
            for number in 0..<500 {
                let tube = TubeName(test: "tube-\(number)/" + String(repeating: "x", count: number % 180))
                names.append(tube)
                session.submit([
                    Request(.use(tube)), .put([UInt8(number % 256)], priority: UInt32(500 - number)),
                    Request(.watch(tube)),
                ])
            }
            for number in 0..<500 {
                try expect(try await session.reply(), is: .using(names[number + 1]))
                guard case .inserted(let id) = try await session.reply() else {
                    throw ConformanceFailure("put \(number) was not carried out")
                }
                ids.append(id)
                try expect(try await session.reply(), is: .watching(number + 2))
            }
            if bed.can(.consecutiveIDs) { try bed.expectRising(ids) }
            try expect(Set(ids).count, is: 500)
            try await session.expect(.tubes, .tubes(names.sorted()))
            session.submit(ids.map { _ in Request(.reserve(.none)) })
            for id in ids.reversed() { try expect(try await session.reserved().id, is: id) }
        },
        Case("tubes/truncate deletes every job of one tube, reserved ones too") { bed in
            let session = bed.session()
            let other = try await bed.distantSession()
            let kept = try await session.put(priority: 100)
            try await session.expect(.use(alpha), .using(alpha))
            try await session.expect(.watch(alpha), .watching(2))
            let buried = try await session.put()
            try await session.reserve()
            try await session.expect(.bury(buried, priority: 0), .buried)
            let held = try await session.put()
            try await session.reserve()
            let ready = try await session.put()
            let delayed = try await session.put(delay: 100)
            try await bed.settle()
            try await other.expect(.truncate(alpha), .truncated(4))
            try await other.expect(.truncate(alpha), .truncated(0))
            try await bed.settle()
            try await session.expect(.delete(held), .notFound)
            for id in [buried, held, ready, delayed] { try await session.expect(.peek(id), .notFound) }
            try expect(try await session.statistics(of: alpha).jobs.present, is: 0)
            try expect(try await session.statistics().jobs.present, is: 1)
            let next = try await session.put([6])
            try bed.expectRising([next], after: delayed)
            try expect(try await session.found(.peek(next)).body, is: [6])
            try expect(try await session.reserve().id, is: next)
            try expect(try await session.reserve().id, is: kept)
        },
    ]

    static let pauseCases: [Case] = [
        Case("pause/nothing is handed out until it ends") { bed in
            let session = bed.session()
            let waiter = try await bed.distantSession()
            let id = try await session.put()
            let ((), pause) = try await bed.timing {
                try await session.expect(.pause(.default, seconds: 3), .paused)
            }
            try await session.expect(.reserve(.none), .timedOut)
            try await bed.settle()
            try await waiter.beginWait()
            try await session.put()
            try await bed.advance(toJustBefore: 3, after: pause)
            try waiter.expectWaiting()
            try await bed.advance(past: 3, after: pause)
            try expect(try await waiter.reserved().id, is: id)
            try expect(try await session.statistics(of: TubeName.default).pauseSeconds, is: 0)
        },
        Case("pause/0 ends it and serves who waits, the longest first") { bed in
            let session = bed.session()
            try await session.expect(.pause(.default, seconds: 100), .paused)
            let first = try await bed.rivalSession()
            try await first.beginWait()
            try await bed.untilWaiting(1)
            let second = bed.session()
            try await second.beginWait()
            try await bed.untilWaiting(2)
            var ids: [JobID] = []
            for _ in 0..<2 { ids.append(try await session.put()) }
            try await bed.settle()
            try first.expectWaiting()
            try second.expectWaiting()
            try await session.expect(.pause(.default, seconds: 0), .paused)
            try expect(try await first.reserved().id, is: ids[0])
            try expect(try await second.reserved().id, is: ids[1])
        },
        Case("pause/other tubes, reserve-job, peek and kick are not affected") { bed in
            let session = bed.session()
            let paused = try await session.put(priority: 0)
            let delayed = try await session.put(delay: 100)
            try await session.expect(.use(alpha), .using(alpha))
            let free = try await session.put(priority: 9)
            try await session.expect(.watch(alpha), .watching(2))
            try await session.expect(.pause(.default, seconds: 100), .paused)
            try expect(try await session.reserve().id, is: free)
            try await session.expect(.use(.default), .using(.default))
            try expect(try await session.found(.peekNext(.ready)).id, is: paused)
            try await session.expect(.kick(1), .kicked(1))
            try expect(try await session.state(of: delayed), is: .ready)
            try await session.expect(.reserve(.none), .timedOut)
            try expect(try await session.reserveJob(paused).id, is: paused)
        },
        Case("pause/a new one takes the place of the old") { bed in
            let session = bed.session()
            try await session.put()
            try await session.expect(.pause(.default, seconds: 1), .paused)
            let ((), pause) = try await bed.timing {
                try await session.expect(.pause(.default, seconds: 4), .paused)
            }
            try await bed.advance(seconds: 1.5)
            let statistics = try await session.statistics(of: TubeName.default)
            try expect(statistics.pauses, is: 2)
            try expect(statistics.pauseSeconds, is: 4)
            try bed.expectLeft(statistics.pauseLeftSeconds, is: 2)
            try await session.expect(.reserve(.none), .timedOut)
            try await bed.advance(past: 4, after: pause)
            try await session.reserve()
        },
        Case("pause/a tube that nobody knows cannot be paused") { bed in
            try await bed.session().expect(.pause(alpha, seconds: 1), .notFound)
        },
    ]
}

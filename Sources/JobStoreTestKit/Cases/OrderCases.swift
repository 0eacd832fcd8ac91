import BeanspikeCore

extension Conformance {
    static let orderCases: [Case] = [
        Case("order/first id is 1 and ids rise by arrival") { bed in
            let a = bed.session()
            let b = try await bed.distantSession()
            var ids: [JobID] = []
            for number in 1...20 {
                ids.append(try await (number.isMultiple(of: 2) ? a : b).put(priority: UInt32(100 - number)))
            }
            try bed.expectRising(ids)
        },
        Case("order/smallest priority first, then smallest id") { bed in
            let session = bed.session()
            let priorities: [UInt32] = [5, 0, .max, 5, 1_024, 0, 1_023, .max, 3, 5]
            var ids: [JobID] = []
            for priority in priorities { ids.append(try await session.put(priority: priority)) }
            let expected = priorities.enumerated().sorted { ($0.element, $0.offset) < ($1.element, $1.offset) }
            for (offset, priority) in expected {
                let job = try await session.reserve()
                try expect(job.id, is: ids[offset])
                try expect(job.priority, is: priority)
            }
            try await session.expect(.reserve(.none), .timedOut)
        },
        Case("order/first in, first out within a priority") { bed in
            let session = bed.session()
            for number in 0..<200 { try await session.put([UInt8(number)], priority: 7) }
            for number in 0..<200 { try expect(try await session.reserve().body, is: [UInt8(number)]) }
        },
        Case("order/one order over all watched tubes") { bed in
            let session = bed.session()
            var expected: [(UInt32, JobID)] = []
            for number in 0..<60 {
                let tube = [alpha, beta, gamma][number % 3]
                try await session.expect(.use(tube), .using(tube))
                let priority = UInt32((number * 7) % 5)
                expected.append((priority, try await session.put(priority: priority)))
            }
            for tube in [alpha, beta, gamma] { _ = try await session.run(.watch(tube)) }
            expected.sort { $0 < $1 }
            for (_, id) in expected { try expect(try await session.reserve().id, is: id) }
        },
        Case("order/tubes that are not watched give nothing") { bed in
            let session = bed.session()
            try await session.expect(.use(alpha), .using(alpha))
            let id = try await session.put()
            try await session.expect(.reserve(.none), .timedOut)
            try await session.expect(.watch(alpha), .watching(2))
            try expect(try await session.reserve().id, is: id)
        },
        Case("order/a released job returns to its place by id") { bed in
            let session = bed.session()
            var ids: [JobID] = []
            for _ in 0..<3 { ids.append(try await session.put(priority: 1)) }
            try expect(try await session.reserve().id, is: ids[0])
            try await session.expect(.release(ids[0], priority: 1, delaySeconds: 0), .released)
            for id in ids { try expect(try await session.reserve().id, is: id) }
        },
    ]

    static let delayCases: [Case] = [
        Case("delay/not handed out before it is due") { bed in
            let session = bed.session()
            let (id, put) = try await bed.timing { try await session.put(delay: 2) }
            try expect(try await session.state(of: id), is: .delayed)
            try await bed.advance(toJustBefore: 2, after: put)
            session.submit(.reserve(.none), .jobStatistics(id))
            try expect(try await session.reply(), is: .timedOut)
            guard case .jobStatistics(let statistics) = try await session.reply() else {
                throw ConformanceFailure("expected statistics")
            }
            try expect(statistics.lifecycle.state, is: .delayed)
            try await bed.advance(past: 2, after: put)
            try expect(try await session.state(of: id), is: .ready)
            try expect(try await session.reserve().id, is: id)
        },
        Case("delay/ready jobs go first whatever their priority, until the delay is over") { bed in
            let session = bed.session()
            let (late, put) = try await bed.timing { try await session.put(priority: 0, delay: 2) }
            let soon = try await session.put(priority: 9)
            let last = try await session.put(priority: 9)
            try expect(try await session.reserve().id, is: soon)
            try await bed.advance(past: 2, after: put)
            try expect(try await session.reserve().id, is: late)
            try expect(try await session.reserve().id, is: last)
        },
        Case("delay/due in the order of time") { bed in
            let session = bed.session()
            let third = try await session.put(delay: 3)
            let first = try await session.put(delay: 1)
            let second = try await session.put(delay: 2)
            for id in [first, second, third] {
                try expect(try await session.found(.peekNext(.delayed)).id, is: id)
                try await session.beginWait()
                try await bed.advanceToReply(seconds: 1)
                try expect(try await session.reserved().id, is: id)
            }
            try await session.expect(.peekNext(.delayed), .notFound)
        },
        Case("delay/wakes a waiting session") { bed in
            let session = bed.session()
            let waiter = try await bed.distantSession()
            let (id, put) = try await bed.timing { try await session.put(delay: 1) }
            try await waiter.beginWait()
            try await bed.advance(toJustBefore: 1, after: put)
            try waiter.expectWaiting()
            try await bed.advance(past: 1, after: put)
            try expect(try await waiter.reserved().id, is: id)
        },
        Case("delay/a kicked or deleted job does not come due") { bed in
            let session = bed.session()
            let kicked = try await session.put(delay: 2)
            let deleted = try await session.put(delay: 2)
            try await session.expect(.kickJob(kicked), .kickedJob)
            try await session.expect(.delete(deleted), .deleted)
            try expect(try await session.reserve().id, is: kicked)
            try await bed.advance(seconds: 3)
            try await session.expect(.reserve(.none), .timedOut)
            try await session.expect(.peek(deleted), .notFound)
        },
        Case("delay/the longest delay is kept") { bed in
            let session = bed.session()
            let id = try await session.put(delay: .max)
            try await bed.advance(seconds: 2)
            let statistics = try await session.statistics(of: id)
            try expect(statistics.lifecycle.state, is: .delayed)
            try expect(statistics.lifecycle.delaySeconds, is: .max)
            try bed.expectLeft(statistics.timeLeftSeconds, is: 4_294_967_293)
        },
    ]
}

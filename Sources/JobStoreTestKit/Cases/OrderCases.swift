import BeanspikeCore

extension Conformance {
    static let orderCases: [Case] = [
        Case("order/first id is 1 and ids rise by arrival") { bed in
            let a = bed.session()
            let b = try await bed.distantSession()
            for expected in 1...20 {
                let id = try await (expected.isMultiple(of: 2) ? a : b).put(priority: UInt32(100 - expected))
                try expect(id, is: JobID(expected))
            }
        },
        Case("order/smallest priority first, then smallest id") { bed in
            let session = bed.session()
            let priorities: [UInt32] = [5, 0, .max, 5, 1_024, 0, 1_023, .max, 3, 5]
            for priority in priorities { try await session.put(priority: priority) }
            let expected = priorities.enumerated().sorted { ($0.element, $0.offset) < ($1.element, $1.offset) }
            for (offset, priority) in expected {
                let job = try await session.reserve()
                try expect(job.id, is: JobID(offset + 1))
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
            for _ in 0..<3 { try await session.put(priority: 1) }
            try expect(try await session.reserve().id, is: 1)
            try await session.expect(.release(1, priority: 1, delaySeconds: 0), .released)
            for id in 1...3 { try expect(try await session.reserve().id, is: JobID(id)) }
        },
    ]

    static let delayCases: [Case] = [
        Case("delay/not handed out before it is due") { bed in
            let session = bed.session()
            let id = try await session.put(delay: 2)
            try expect(try await session.state(of: id), is: .delayed)
            try await bed.advance(almost: 2)
            try await session.expect(.reserve(.none), .timedOut)
            try expect(try await session.state(of: id), is: .delayed)
            try await bed.advanceToInstant()
            try expect(try await session.state(of: id), is: .ready)
            try expect(try await session.reserve().id, is: id)
        },
        Case("delay/ready jobs go first whatever their priority, until the delay is over") { bed in
            let session = bed.session()
            let late = try await session.put(priority: 0, delay: 1)
            let soon = try await session.put(priority: 9)
            let last = try await session.put(priority: 9)
            try expect(try await session.reserve().id, is: soon)
            try await bed.advance(seconds: 1)
            try await bed.settle()
            try expect(try await session.reserve().id, is: late)
            try expect(try await session.reserve().id, is: last)
        },
        Case("delay/due in the order of time") { bed in
            let session = bed.session()
            let third = try await session.put(delay: 6)
            let first = try await session.put(delay: 2)
            let second = try await session.put(delay: 4)
            for id in [first, second, third] {
                try expect(try await session.found(.peekNext(.delayed)).id, is: id)
                try await session.beginWait()
                try await bed.advance(seconds: 2)
                try expect(try await session.reserved().id, is: id)
            }
            try await session.expect(.peekNext(.delayed), .notFound)
        },
        Case("delay/wakes a waiting session") { bed in
            let session = bed.session()
            let id = try await session.put(delay: 1)
            let waiter = try await bed.distantSession()
            try await waiter.beginWait()
            try await bed.advance(almost: 1)
            try waiter.expectWaiting()
            try await bed.advanceToInstant()
            try expect(try await waiter.reserved().id, is: id)
        },
        Case("delay/a kicked or deleted job does not come due") { bed in
            let session = bed.session()
            let kicked = try await session.put(delay: 1)
            let deleted = try await session.put(delay: 1)
            try await session.expect(.kickJob(kicked), .kickedJob)
            try await session.expect(.delete(deleted), .deleted)
            try expect(try await session.reserve().id, is: kicked)
            try await bed.advance(seconds: 2)
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
            try expect((4_294_967_290...4_294_967_293).contains(statistics.timeLeftSeconds), is: true)
        },
    ]
}

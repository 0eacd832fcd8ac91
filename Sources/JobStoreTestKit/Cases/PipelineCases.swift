import BeanspikeCore

extension Conformance {
    static let pipelineCases: [Case] = [
        Case("pipeline/replies in the order of the commands") { bed in
            let session = bed.session()
            var requests: [Request] = []
            let isForeseen = bed.can(.consecutiveIDs)
            for number in 0..<300 {
                requests.append(.put([UInt8(number % 256)], priority: UInt32(number)))
                requests.append(Request(.tubeUsed))
                requests.append(Request(.reserve(.none)))
                requests.append(Request(isForeseen ? .delete(JobID(number + 1)) : .kick(0)))
            }
            session.submit(requests)
            var ids: [JobID] = []
            for number in 0..<300 {
                let inserted = try await session.reply()
                try expect(try await session.reply(), is: .using(.default))
                let job = try await session.reserved()
                try expect(job.body, is: [UInt8(number % 256)])
                try expect(inserted, is: .inserted(job.id))
                try expect(try await session.reply(), is: isForeseen ? .deleted : .kicked(0))
                ids.append(job.id)
            }
            try bed.expectRising(ids)
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
            try await bed.settle()
            try await producer.expect(.tubeStatistics(alpha), .notFound)
            try expect(try await producer.statistics().jobs.total, is: 0)
            let id = try await producer.put([1])
            try expect(try await session.reserved().id, is: id)
            let inserted = try await session.reply()
            try expect(try await session.reply(), is: .using(alpha))
            let job = try await session.reserved()
            try expect(job.body, is: [9])
            try expect(inserted, is: .inserted(job.id))
            try bed.expectRising([id, job.id])
            try expect(try await session.reply(), is: .deleted)
            try expect(try await session.reply(), is: .using(alpha))
        },
        Case("pipeline/commands sent while the session waits run after it") { bed in
            let session = bed.session()
            try await session.beginWait()
            session.submit(.put([5]))
            session.submit(.tubeUsed)
            try await bed.settle()
            try session.expectWaiting()
            session.endWait()
            try expect(try await session.reply(), is: .timedOut)
            try expect(try await session.reply(), is: .inserted(1))
            try expect(try await session.reply(), is: .using(.default))
        },
        Case("pipeline/a reserve behind a change sees what the change did") { bed in
            let session = bed.session()
            let first = try await session.put([1], priority: 1)
            let long = try await session.put([UInt8](repeating: 2, count: 2_000), priority: 2)
            let urgent = try await session.put([3], priority: 3, ttr: 1)
            try expect(try await session.reserve().id, is: first)
            session.submit(.release(first, priority: 1, delaySeconds: 0), .reserve(.none))
            try expect(try await session.reply(), is: .released)
            try expect(try await session.reserved().id, is: first)
            session.submit(.delete(first), .reserve(.none), .bury(long, priority: 0), .reserve(.none))
            try expect(try await session.reply(), is: .deleted)
            try expect(try await session.reserved().id, is: long)
            try expect(try await session.reply(), is: .buried)
            try expect(try await session.reserved().id, is: urgent)
            // Were it not deleted first, its time would soon be over.
            session.submit(.delete(urgent), .reserve(.none))
            try expect(try await session.reply(), is: .deleted)
            try expect(try await session.reply(), is: .timedOut)
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

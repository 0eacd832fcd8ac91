import BeanspikeCore

extension TestSession {
    /// Gives a job another body.
    fileprivate func update(
        _ job: JobID,
        _ body: [UInt8],
        form: BodyForm = .plain,
        _ expected: TestReply = .updated,
        line: UInt = #line
    ) async throws {
        let reply = try await run(.update(job, body, form: form))
        guard reply == expected else {
            throw ConformanceFailure("update of job \(job): expected \(expected), got \(reply)", line: line)
        }
    }
}

extension Conformance {
    static let updateCases: [Case] = [
        Case("update/a job has its new body, of any size, and all else that it had") { bed in
            let session = bed.session()
            let other = try await bed.distantSession()
            let attributes = JobAttributes(metadata: [1, 2, 3], timeOfBirthMilliseconds: 77)
            let id = try await session.put([1], priority: 9, attributes: attributes)
            try await session.reserve()
            for count in [0, 1, 700, 70_000, 1_048_576, 3] {
                let body = patternedBody(count: count, seed: UInt64(count))
                try await session.update(id, body)
                let found = try await other.found(.peek(id))
                try expect(found.body == body, is: true, "peek of \(count) bytes")
                try expect(found.attributes, is: attributes)
                try expect(found.priority, is: 9)
                try expect(try await session.statistics(of: id).bodyBytes, is: UInt64(count))
            }
            try await session.expect(.release(id, priority: 9, delaySeconds: 0), .released)
            let job = try await other.reserve(bed.patience)
            try expect(job.body == patternedBody(count: 3, seed: 3), is: true, "the last body")
            try await other.expect(.delete(id), .deleted)
        },
        Case("update/only the holder can") { bed in
            let session = bed.session()
            let other = try await bed.distantSession()
            let id = try await session.put([1])
            try await session.update(id, [2], .notFound)
            try await session.reserve()
            try await other.update(id, [3], .notFound)
            try await session.update(id, [4])
            try await session.expect(.bury(id, priority: 0), .buried)
            try await session.update(id, [5], .notFound)
            try expect(try await session.found(.peek(id)).body, is: [4])
            try await session.expect(.delete(id), .deleted)
            try await session.update(id, [6], .notFound)
        },
        Case("update/bytes are counted as the body is stored") { bed in
            let session = bed.session()
            try await session.expect(.use(alpha), .using(alpha))
            try await session.expect(.watch(alpha), .watching(2))
            let id = try await session.put([UInt8](repeating: 1, count: 10))
            try await session.reserve()
            try await session.update(id, [UInt8](repeating: 2, count: 40), form: .compressed(originalBodyBytes: 900))
            var jobs = try await session.statistics(of: alpha).jobs
            try expect([jobs.usedBytes, jobs.bodyBytes, jobs.skippedBytes], is: [40, 900, 0])
            let attributes = try await session.found(.peek(id)).attributes
            try expect(attributes.originalBodyBytes, is: 900)
            try await session.update(id, [UInt8](repeating: 3, count: 50), form: .skipped)
            jobs = try await session.statistics(of: alpha).jobs
            try expect([jobs.usedBytes, jobs.bodyBytes, jobs.skippedBytes], is: [50, 50, 50])
            try await session.update(id, [1])
            jobs = try await session.statistics(of: alpha).jobs
            try expect([jobs.usedBytes, jobs.bodyBytes, jobs.skippedBytes], is: [1, 1, 0])
            try await session.expect(.delete(id), .deleted)
        },
        Case("update/starts the time to run anew") { bed in
            let session = bed.session()
            let id = try await session.put([1], ttr: 4)
            try await session.reserve()
            try await bed.advance(seconds: 2)
            let (_, span) = try await bed.timing { try await session.update(id, [2]) }
            try await bed.advance(toJustBefore: 4, after: span)
            try await session.expect(.touch(id), .touched)
        },
        Case("update/in one batch with what comes before and after it") { bed in
            let session = bed.session()
            let id = try await session.put([1])
            try await session.reserve()
            session.submit(
                .update(id, [2]),
                .update(id, [3]),
                Request(.release(id, priority: 0, delaySeconds: 0)),
                .update(id, [4])
            )
            try await session.expectReplies([.updated, .updated, .released, .notFound])
            try expect(try await session.found(.peek(id)).body, is: [3])
        },
        Case("update/a new body is kept over a restart", needs: .restart) { bed in
            let session = bed.session()
            let ids = try await session.putAll((0..<40).map { .put([UInt8($0)]) })
            for _ in 0..<20 { try await session.reserve() }
            for id in ids[0..<20] { try await session.update(id, patternedBody(count: 100, seed: id)) }
            try await session.expect(.delete(ids[3]), .deleted)
            try await bed.restart()
            let after = bed.session()
            for (number, id) in ids.enumerated() where number != 3 {
                let body = number < 20 ? patternedBody(count: 100, seed: id) : [UInt8(number)]
                try expect(try await after.found(.peek(id)).body == body, is: true, "job \(number)")
            }
            // And once more: a job that has been moved is a job like any other.
            let job = try await after.reserve()
            try await after.update(job.id, [9])
            try await bed.restart()
            let last = bed.session()
            try expect(try await last.found(.peek(job.id)).body, is: [9])
            try await last.expect(.delete(job.id), .deleted)
        },
    ]
}

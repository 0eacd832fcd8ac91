import BeanspikeCore

/// A body that no other seed has, hard to mistake for a shifted or cut one.
func patternedBody(count: Int, seed: UInt64) -> [UInt8] {
    var generator = SeededGenerator(seed: seed)
    return [UInt8](unsafeUninitializedCapacity: count + 8) { bytes, filled in
        let bytes = UnsafeMutableRawBufferPointer(bytes)
        for offset in stride(from: 0, to: count, by: 8) {
            bytes.storeBytes(of: generator.next(), toByteOffset: offset, as: UInt64.self)
        }
        filled = count
    }
}

extension Conformance {
    /// Attributes that differ from the default in every field.
    static let fullAttributes = JobAttributes(
        metadata: patternedBody(count: Limits.metadataBytesMax, seed: 5),
        timeOfBirthMilliseconds: 1_234_567_890_123,
        retries: 3,
        retryFlag: true,
        buryReason: "no such host: größer",
        originalBodyBytes: 4_096,
        isCompressionSkipped: true
    )

    static let payloadCases: [Case] = [
        Case("payload/bodies of every size come back byte for byte") { bed in
            let session = bed.session()
            let other = try await bed.distantSession()
            for count in [0, 1, 2, 63, 64, 65, 511, 512, 513, 4_096, 65_535, 65_536, 1_048_576] {
                let body = patternedBody(count: count, seed: UInt64(count))
                let id = try await session.put(body)
                try expect(try await other.found(.peek(id)).body == body, is: true, "peek of \(count) bytes")
                try expect(try await other.reserve().body == body, is: true, "reserve of \(count) bytes")
                try await other.expect(.release(id, priority: 0, delaySeconds: 0), .released)
                try expect(try await other.reserveJob(id).body == body, is: true, "reserve-job of \(count) bytes")
                try expect(try await session.statistics(of: id).bodyBytes, is: UInt64(count))
                try await other.expect(.delete(id), .deleted)
            }
        },
        Case("payload/many bodies in one batch are not mixed up") { bed in
            let session = bed.session()
            let bodies = (0..<200).map { patternedBody(count: $0 * 37 % 1_000, seed: UInt64($0)) }
            session.submit(bodies.map { Request.put($0) })
            for number in bodies.indices { try expect(try await session.reply(), is: .inserted(JobID(number + 1))) }
            session.submit(bodies.map { _ in Request(.reserve(.none)) })
            for body in bodies { try expect(try await session.reserved().body == body, is: true) }
        },
        Case("payload/attributes go with the job") { bed in
            let session = bed.session()
            let id = try await session.put([1], attributes: fullAttributes)
            try expect(try await session.found(.peek(id)).attributes, is: fullAttributes)
            try expect(try await session.reserve().attributes, is: fullAttributes)
            try expect(try await session.statistics(of: id).attributes, is: fullAttributes)
            let plain = try await session.put([1])
            try expect(try await session.found(.peek(plain)).attributes, is: JobAttributes())
        },
        Case("payload/retries are counted, the reason of a burial is told") { bed in
            let session = bed.session()
            let id = try await session.put(attributes: JobAttributes(metadata: [1, 2, 3]))
            for retries in 1...3 as ClosedRange<UInt32> {
                try await session.reserve()
                try await session.expect(.release(id, priority: 0, delaySeconds: 0, isRetry: true), .released)
                let attributes = try await session.found(.peek(id)).attributes
                try expect(attributes.retries, is: retries)
                try expect(attributes.retryFlag, is: true)
                try expect(attributes.metadata, is: [1, 2, 3])
            }
            try await session.reserve()
            try await session.expect(.release(id, priority: 0, delaySeconds: 0), .released)
            var attributes = try await session.found(.peek(id)).attributes
            try expect(attributes.retries, is: 3)
            try expect(attributes.retryFlag, is: false)
            try await session.reserve()
            try await session.expect(.bury(id, priority: 0, reason: "printer on fire"), .buried)
            attributes = try await session.found(.peekNext(.buried)).attributes
            try expect(attributes.buryReason, is: "printer on fire")
            try expect(attributes.metadata, is: [1, 2, 3])
        },
    ]

    static let loadCases: [Case] = [
        Case("load/10,000 jobs drained by 8 sessions, each exactly once") { bed in
            let count = 10_000
            let producer = bed.session()
            for start in stride(from: 0, to: count, by: 500) {
                producer.submit((start..<start + 500).map { Request.put([UInt8($0 & 255), UInt8($0 >> 8)]) })
                for number in start..<start + 500 {
                    try expect(try await producer.reply(), is: .inserted(JobID(number + 1)))
                }
            }
            var sessions: [TestSession] = []
            for number in 0..<8 {
                sessions.append(number.isMultiple(of: 2) ? bed.session() : try await bed.distantSession())
            }
            let drained = try await withThrowingTaskGroup(of: [JobID].self) { group in
                for session in sessions { group.addTask { try await drain(session) } }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            try expect(drained.count, is: count)
            try expect(Set(drained) == Set((1...count).map { JobID($0) }), is: true)
            let statistics = try await producer.statistics()
            try expect(statistics.jobs.present, is: 0)
            try expect(statistics.jobs.deleted, is: UInt64(count))
            try expect(statistics.jobs.usedBytes, is: 0)
        },
        Case("load/producers and waiting consumers at once, nothing lost, nothing twice") { bed in
            var producers: [TestSession] = []
            var consumers: [TestSession] = []
            for _ in 0..<4 {
                producers.append(bed.session())
                consumers.append(try await bed.distantSession())
            }
            let share = 500
            let taken = try await withThrowingTaskGroup(of: [JobID].self) { group in
                for consumer in consumers {
                    group.addTask {
                        var taken: [JobID] = []
                        for _ in 0..<share {
                            let job = try await consumer.reserve(.forever)
                            taken.append(job.id)
                            try await consumer.expect(.delete(job.id), .deleted)
                        }
                        return taken
                    }
                }
                for producer in producers {
                    group.addTask {
                        for number in 0..<share { try await producer.put([UInt8(number & 255)]) }
                        return []
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            try expect(Set(taken) == Set((1...4 * share).map { JobID($0) }), is: true)
        },
    ]

    /// Reserves and deletes until nothing is left, checking that each body belongs to its job.
    private static func drain(_ session: TestSession) async throws -> [JobID] {
        var drained: [JobID] = []
        while true {
            let reply = try await session.run(.reserve(.none))
            if reply == .timedOut { return drained }
            guard case .reserved(let job) = reply else { throw ConformanceFailure("expected a job, got \(reply)") }
            let number = Int(job.id) - 1
            try expect(job.body, is: [UInt8(number & 255), UInt8(number >> 8)])
            drained.append(job.id)
            try await session.expect(.delete(job.id), .deleted)
        }
    }
}

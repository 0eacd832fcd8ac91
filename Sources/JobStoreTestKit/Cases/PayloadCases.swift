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
                try expect(try await other.reserve(bed.patience).body == body, is: true, "reserve of \(count) bytes")
                try await other.expect(.release(id, priority: 0, delaySeconds: 0), .released)
                try expect(try await other.reserveJob(id).body == body, is: true, "reserve-job of \(count) bytes")
                try expect(try await session.statistics(of: id).bodyBytes, is: UInt64(count))
                try await other.expect(.delete(id), .deleted)
            }
        },
        Case("payload/many bodies in one batch are not mixed up") { bed in
            let session = bed.session()
            let bodies = (0..<200).map { patternedBody(count: $0 * 37 % 1_000, seed: UInt64($0)) }
            try bed.expectRising(try await session.putAll(bodies.map { .put($0) }))
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
            var numbers: [JobID: Int] = [:]
            var last: JobID = 0
            for start in stride(from: 0, to: count, by: 500) {
                let ids = try await producer.putAll(
                    (start..<start + 500).map { .put([UInt8($0 & 255), UInt8($0 >> 8)]) }
                )
                try bed.expectRising(ids, after: last)
                last = ids[499]
                for (offset, id) in ids.enumerated() { numbers[id] = start + offset }
            }
            try await bed.settle()
            var sessions: [TestSession] = []
            for number in 0..<8 {
                sessions.append(number.isMultiple(of: 2) ? bed.session() : try await bed.distantSession())
            }
            let isExact = bed.isPrompt
            var drained = try await withThrowingTaskGroup(of: [JobID].self) { [numbers] group in
                for session in sessions { group.addTask { try await drain(session, numbers, isExact: isExact) } }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            if !bed.isPrompt {
                // An instance may have found nothing because it had not heard yet of what another one saw.
                try await bed.settle()
                drained += try await drain(producer, numbers, isExact: true)
            }
            try expect(drained.count, is: count)
            try expect(Set(drained) == Set(numbers.keys), is: true)
            try await bed.settle()
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
            let (taken, put) = try await withThrowingTaskGroup(of: Traffic.self) { group in
                for consumer in consumers { group.addTask { Traffic(taken: try await take(share, by: consumer)) } }
                for producer in producers { group.addTask { Traffic(put: try await produce(share, by: producer)) } }
                var taken: [JobID] = []
                var put: [JobID] = []
                for try await traffic in group {
                    taken += traffic.taken
                    put += traffic.put
                }
                return (taken, put)
            }
            try bed.expectRising(put.sorted())
            try expect(taken.sorted() == put.sorted(), is: true)
        },
    ]

    private struct Traffic: Sendable {
        var taken: [JobID] = []
        var put: [JobID] = []
    }

    private static func take(_ count: Int, by consumer: TestSession) async throws -> [JobID] {
        var taken: [JobID] = []
        for _ in 0..<count {
            let job = try await consumer.reserve(.forever)
            taken.append(job.id)
            try await consumer.expect(.delete(job.id), .deleted)
        }
        return taken
    }

    private static func produce(_ count: Int, by producer: TestSession) async throws -> [JobID] {
        var put: [JobID] = []
        for number in 0..<count { put.append(try await producer.put([UInt8(number & 255)])) }
        return put
    }

    /// Reserves and deletes until nothing is left, checking that each body belongs to its job.
    ///
    /// - Parameters:
    ///   - session: Who drains.
    ///   - numbers: What the bodies were made of.
    ///   - isExact: Whether nothing may come once there was nothing.
    /// - Returns: The jobs that it got.
    /// - Throws: ``ConformanceFailure``.
    private static func drain(
        _ session: TestSession,
        _ numbers: [JobID: Int],
        isExact: Bool
    ) async throws -> [JobID] {
        var drained: [JobID] = []
        var isOver = false
        for share in 0... {
            // One by one at first, then some in one batch.
            let requests = [Request](repeating: Request(.reserve(.none)), count: share < 20 ? 1 : 20)
            session.submit(requests)
            var taken: [JobID] = []
            for _ in requests {
                let reply = try await session.reply()
                if reply == .timedOut {
                    isOver = isExact
                    continue
                }
                guard case .reserved(let job) = reply, !isOver else {
                    throw ConformanceFailure("expected \(isOver ? "nothing" : "a job"), got \(reply)")
                }
                guard let number = numbers[job.id] else { throw ConformanceFailure("nobody put job \(job.id)") }
                try expect(job.body, is: [UInt8(number & 255), UInt8(number >> 8)])
                taken.append(job.id)
            }
            if taken.isEmpty { break }
            session.submit(taken.map { Request(.delete($0)) })
            try await session.expectReplies(taken.map { _ in .deleted })
            drained += taken
            if isOver { break }
        }
        return drained
    }
}

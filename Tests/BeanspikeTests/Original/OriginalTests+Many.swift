import Beanspike
import Testing

extension OriginalTests {
    private func random(_ count: Int) -> [UInt8] { (0..<count).map { _ in .random(in: 0...255) } }

    @Test(arguments: TestQueue.allCases)
    func testReserveCompressedRnd(queue: TestQueue) async throws {
        try await queue.withConnection { connection in
            let tube = try connection.use("unittesttube")
            let payload = random(100 * 1_024)
            let id = try await tube.put(payload, compress: true, metadata: "metadata")
            let job = try #require(try await tube.reserve())
            #expect(job.id == id)
            #expect(job.body == payload)
            try await job.delete()
        }
    }

    @Test(arguments: TestQueue.allCases)
    func testReserveCompressedStr(queue: TestQueue) async throws {
        try await queue.withConnection { connection in
            let tube = try connection.use("unittesttube")
            let payload = String(repeating: "R", count: 100 * 1_024)
            let id = try await tube.put(payload, compress: true, metadata: "metadata")
            #expect(try await tube.peekReady()?.text == payload)
            let statistics = try await tube.statistics()
            #expect(statistics.bodyBytes == 102_400)
            #expect(statistics.usedBytes < 1_000)
            let job = try #require(try await tube.reserve())
            #expect(job.id == id)
            #expect(job.text == payload)
            try await job.delete()
        }
    }

    @Test(arguments: TestQueue.allCases)
    func testStats(queue: TestQueue) async throws {
        try await queue.withConnection { connection in
            let tube = try connection.use("unittesttube")
            for _ in 0..<20 { try await tube.put("to count") }
            for _ in 0..<20 { try await tube.put(String(repeating: "R", count: 3_000), compress: true) }
            let job = try #require(try await tube.reserve())
            var statistics = try await tube.statistics()
            #expect(statistics.jobs == 40)
            #expect(statistics.ready == 39)
            #expect(statistics.reserved == 1)
            #expect(statistics.bodyBytes == 20 * 8 + 20 * 3_000)
            #expect(statistics.usedBytes > 20 * 8 && statistics.usedBytes < 20 * 8 + 20 * 100)
            #expect(statistics.skippedBytes == 0)
            try await job.delete()
            statistics = try await tube.statistics()
            #expect(statistics.jobs == 39)
            #expect(statistics.deleted == 1)
            #expect(try await connection.delete("unittesttube") == 39)
            #expect(try await tube.statistics().jobs == 0)
        }
    }

    /// What compression was tried on in vain is counted while it is there.
    @Test(arguments: TestQueue.allCases)
    func testStatsSkippedSize(queue: TestQueue) async throws {
        try await queue.withConnection { connection in
            let tube = try connection.use("unittesttube")
            let id = try await tube.put(random(4_000), compress: true)
            try await tube.put(random(4_000))
            try await tube.put(random(100), compress: true)
            try await tube.put([UInt8](repeating: 7, count: 4_000), compress: true)
            #expect(try await tube.statistics().skippedBytes == 4_000)
            #expect(try await tube.delete(id))
            #expect(try await tube.statistics().skippedBytes == 0)
        }
    }

    @Test(arguments: TestQueue.allCases)
    func testReserveBatch(queue: TestQueue) async throws {
        try await queue.withConnection { connection in
            let tube = try connection.use("unittesttube")
            let outcomes = try await tube.put(contentsOf: (0..<25).map { NewJob([UInt8($0)]) })
            let ids = try outcomes.map { try $0.get() }
            #expect(ids == ids.sorted())
            let first = try await tube.reserve(upTo: 10)
            #expect(first.map(\.body) == (0..<10).map { [UInt8($0)] })
            let rest = try await tube.reserve(upTo: 100, timeout: .seconds(5))
            #expect(rest.map(\.id) == Array(ids[10...]))
            #expect(try await tube.reserve(upTo: 10).isEmpty)
            for job in first + rest { #expect(try await job.delete()) }
            #expect(try await tube.statistics().jobs == 0)
        }
    }

    @Test(arguments: TestQueue.allCases)
    func testKickAndBury(queue: TestQueue) async throws {
        try await queue.withConnection { connection in
            let tube = try connection.use("unittesttube")
            let id = try await tube.put("hello", metadata: "metadata")
            await expect(.notHolder) { try await tube.bury(id, reason: "not ours") }
            #expect(try await tube.kick(id) == false)
            let job = try #require(try await tube.reserve())
            try await job.bury(reason: "printer on fire")
            #expect(try await tube.reserve()?.id == nil)
            let buried = try #require(try await tube.peekBuried())
            #expect(buried.id == id)
            #expect(buried.text == "hello")
            #expect(buried.buryReason == "printer on fire")
            #expect(buried.metadata == "metadata")
            #expect(try await tube.statistics().buried == 1)
            #expect(try await tube.kick(upTo: 10) == 1)
            #expect(try await tube.peekBuried()?.id == nil)
            let again = try #require(try await tube.reserve())
            try await tube.bury(again.id)
            #expect(try await tube.kick(id))
            let last = try #require(try await tube.reserve())
            #expect(last.metadata == "metadata")
            try await last.delete()
            #expect(try await tube.kick(upTo: 10) == 0)
            #expect(try await tube.kick(id) == false)
        }
    }

    /// `UpdateJobBody`.
    @Test(arguments: TestQueue.allCases)
    func testUpdateJobBody(queue: TestQueue) async throws {
        try await queue.withConnection { connection in
            let tube = try connection.use("unittesttube")
            let id = try await tube.put("hello", metadata: "metadata")
            await expect(.notHolder) { try await tube.update(id, body: [1]) }
            let job = try #require(try await tube.reserve())
            let text = String(repeating: "R", count: 5_000)
            try await job.update(body: text.utf8, compress: true)
            #expect(try await tube.peek(id)?.text == text)
            #expect(try await tube.statistics().usedBytes < 500)
            try await tube.update(id, body: "bye".utf8)
            try await job.release()
            let again = try #require(try await tube.reserve())
            #expect(again.text == "bye")
            #expect(again.metadata == "metadata")
            try await again.delete()
            await expect(.jobNotFound) { try await tube.update(id, body: [1]) }
        }
    }
}

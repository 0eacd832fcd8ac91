import Beanspike
import Foundation
import Testing

/// A test for each test of the original's (`beanspike_test.go`), by its name, on every store.
///
/// `TestShouldOperate` has no counterpart: it tests that scans are not run too often, and there are no scans.
@Suite struct OriginalTests {
    @Test(arguments: TestQueue.allCases)
    func testConnection(queue: TestQueue) async throws {
        try await queue.withConnection { connection in
            #expect(connection.id.contains(":"))
            let tube = try connection.use("unittesttube")
            let statistics = try await tube.statistics()
            #expect(statistics.jobs == 0 && statistics.deleted == 0)
        }
    }

    /// A job without a time to run cannot be touched.
    @Test(arguments: TestQueue.allCases)
    func testPut(queue: TestQueue) async throws {
        try await queue.withConnection { connection in
            let tube = try connection.use("unittesttube")
            let id = try await tube.put("hello", metadata: "metadata")
            await expect(.touchNotNeeded) { try await tube.touch(id) }
            let job = try #require(try await tube.reserve())
            #expect(job.id == id)
            await expect(.touchNotNeeded) { try await job.touch() }
            await expect(.touchNotNeeded) { try await tube.touch(id) }
            #expect(try await connection.delete("unittesttube") == 1)
        }
    }

    @Test(arguments: TestQueue.allCases)
    func testReserve(queue: TestQueue) async throws {
        try await queue.withConnection { connection in
            let tube = try connection.use("unittesttube")
            let before = Date.now
            let id = try await tube.put("hello", metadata: "metadata")
            let job = try #require(try await tube.reserve())
            #expect(job.id == id)
            #expect(job.text == "hello")
            #expect(job.metadata == "metadata")
            #expect(job.timeToRun == nil)
            #expect(try #require(job.timeOfBirth) >= before.addingTimeInterval(-0.001))
            #expect(job.tube.name == "unittesttube")
            try await job.release(isRetry: true)
            #expect(try await tube.delete(id))
        }
    }

    @Test(arguments: TestQueue.allCases)
    func testTimeOfBirth(queue: TestQueue) async throws {
        try await queue.withConnection { connection in
            let tube = try connection.use("unittesttube")
            let before = Date.now.addingTimeInterval(-0.001)
            try await tube.put("hello")
            let first = try #require(try await tube.reserve())
            let birth = try #require(first.timeOfBirth)
            #expect(birth >= before && birth <= Date.now.addingTimeInterval(1))
            try await tube.put("hello", timeOfBirth: Date(timeIntervalSince1970: 0.1))
            let second = try #require(try await tube.reserve())
            #expect(second.timeOfBirth == Date(timeIntervalSince1970: 0.1))
            try await first.delete()
            try await second.delete()
        }
    }

    /// What was reserved comes again when its time to run is over.
    @Test(arguments: TestQueue.allCases)
    func testPutTtr(queue: TestQueue) async throws {
        try await queue.withConnection { connection in
            let tube = try connection.use("unittesttube")
            let id = try await tube.put("hello", timeToRun: .seconds(1))
            let first = try #require(try await tube.reserve())
            #expect(first.id == id)
            #expect(first.timeToRun == .seconds(1))
            #expect(try await tube.reserve()?.id == nil)
            let again = try #require(try await tube.reserve(timeout: .seconds(20)))
            #expect(again.id == id)
            #expect(again.reserves == 2)
            // Whoever had it is told that it is another's.
            await expect(.timedOut) { try await first.touch() }
            await expect(.notHolder) { try await first.release() }
            try await again.touch()
            #expect(try await again.delete())
        }
    }

    @Test(arguments: TestQueue.allCases)
    func testPutTouch(queue: TestQueue) async throws {
        try await queue.withConnection { connection in
            let tube = try connection.use("unittesttube")
            let id = try await tube.put("hello", timeToRun: .seconds(2))
            let job = try #require(try await tube.reserve())
            #expect(job.id == id)
            // Held for longer than its time to run, by touching; so long it comes to nobody.
            let start = ContinuousClock.now
            while ContinuousClock.now - start < .seconds(3) {
                try await tube.touch(id)
                #expect(try await tube.reserve(timeout: .milliseconds(500))?.id == nil)
            }
            try await job.touch()
            try await job.release()
            await expect(.notHolder) { try await tube.touch(id) }
            #expect(try await tube.delete(id))
            await expect(.jobNotFound) { try await tube.touch(id) }
        }
    }

    /// Only who reserved a job releases it, and it is reserved again then.
    @Test(arguments: TestQueue.allCases)
    func testRelease(queue: TestQueue) async throws {
        try await queue.withConnections(2) { connections in
            let tube = try connections[0].use("unittesttube")
            let strangers = try connections[1].use("unittesttube")
            let id = try await tube.put("hello", timeToRun: .seconds(42))
            await expect(.notHolder) { try await tube.release(id, isRetry: true) }
            let job = try #require(try await tube.reserve())
            #expect(job.id == id)
            #expect(job.timeToRun == .seconds(42))
            #expect(try await tube.reserve()?.id == nil)
            await expect(.notHolder) { try await strangers.release(id) }
            await expect(.notHolder) { try await strangers.touch(id) }
            await expect(.notHolder) { try await strangers.bury(id) }
            await expect(.notHolder) { _ = try await strangers.delete(id) }
            try await tube.release(id, isRetry: true)
            await expect(.notHolder) { try await job.release() }
            let again = try #require(try await tube.reserve())
            #expect(again.id == id)
            try await again.release()
            #expect(try await tube.delete(id))
        }
    }

    @Test(arguments: TestQueue.allCases)
    func testDelete(queue: TestQueue) async throws {
        try await queue.withConnection { connection in
            let tube = try connection.use("unittesttube")
            let id = try await tube.put("to delete", timeToRun: .seconds(120))
            #expect(try await tube.delete(id))
            #expect(try await tube.delete(id) == false)
        }
    }

    @Test(arguments: TestQueue.allCases)
    func testBumpDelayed(queue: TestQueue) async throws {
        try await queue.withConnection { connection in
            let tube = try connection.use("unittesttube")
            let id = try await tube.put("hello", delay: .seconds(1))
            #expect(try await tube.reserve()?.id == nil)
            #expect(try await tube.peekDelayed()?.id == id)
            let job = try #require(try await tube.reserve(timeout: .seconds(20)))
            #expect(job.id == id)
            try await job.release(delay: .seconds(1), isRetry: true)
            #expect(try await tube.reserve()?.id == nil)
            let again = try #require(try await tube.reserve(timeout: .seconds(20)))
            #expect(again.id == id)
            try await again.delete()
        }
    }

    @Test(arguments: TestQueue.allCases)
    func testRetries(queue: TestQueue) async throws {
        try await queue.withConnection { connection in
            let tube = try connection.use("unittesttube")
            try await tube.put("hello", metadata: "metadata")
            for retries in 0..<5 {
                let job = try #require(try await tube.reserve())
                #expect(job.retries == retries)
                #expect(job.isRetry == (retries > 0))
                #expect(job.metadata == "metadata")
                try await tube.release(job.id, isRetry: true)
            }
        }
    }

    @Test(arguments: TestQueue.allCases)
    func testRetriesWithoutIncrement(queue: TestQueue) async throws {
        try await queue.withConnection { connection in
            let tube = try connection.use("unittesttube")
            try await tube.put("hello", metadata: "metadata")
            for _ in 0..<5 {
                let job = try #require(try await tube.reserve())
                #expect(job.retries == 0)
                #expect(!job.isRetry)
                try await tube.release(job.id)
            }
        }
    }
}

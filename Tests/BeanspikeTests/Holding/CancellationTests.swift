import Beanspike
import Testing

/// A reserve that is cancelled, or whose connection is closed, loses no job.
@Suite struct CancellationTests {
    @Test(arguments: TestQueue.allCases)
    func aWaitThatIsCancelledLeavesNothingBehind(queue: TestQueue) async throws {
        try await queue.withConnection { connection in
            let tube = try connection.use("waits")
            let waiting = Task { try await tube.next() }
            try await eventually("somebody waits") { try await tube.statistics().waiting == 1 }
            waiting.cancel()
            await #expect(throws: CancellationError.self) { _ = try await waiting.value }
            try await eventually("nobody waits") { try await tube.statistics().waiting == 0 }
            let id = try await tube.put("hello")
            let job = try #require(try await tube.reserve(timeout: .seconds(10)))
            #expect(job.id == id)
            #expect(job.retries == 0)
            try await job.delete()
        }
    }

    @Test(arguments: TestQueue.allCases)
    func whoIsCancelledAlreadyGetsNothing(queue: TestQueue) async throws {
        try await queue.withConnection { connection in
            let tube = try connection.use("waits")
            let id = try await tube.put("hello")
            let gate = Happenings<Void>()
            let task = Task {
                try? await gate.next()
                return try await tube.reserve()
            }
            task.cancel()
            gate.add(())
            await #expect(throws: CancellationError.self) { _ = try await task.value }
            #expect(try await tube.reserve(timeout: .seconds(10))?.id == id)
        }
    }

    /// Jobs are put while those who wait are cancelled: each job is had by who was not, or is still there.
    @Test(arguments: TestQueue.allCases)
    func jobsThatComeAsTheirReserverIsCancelledArePutBack(queue: TestQueue) async throws {
        let rounds = queue == .aerospike ? 60 : 300
        try await queue.withConnections(2) { connections in
            let tube = try connections[0].use("races")
            let producer = try connections[1].use("races")
            var put: Set<Job.ID> = []
            var had: Set<Job.ID> = []
            for round in 0..<rounds {
                let waiting = Task { try await tube.next() }
                if round.isMultiple(of: 2) { await Task.yield() }
                async let id = producer.put("race")
                if round.isMultiple(of: 3) { await Task.yield() }
                waiting.cancel()
                put.insert(try await id)
                do {
                    let job = try await waiting.value
                    had.insert(job.id)
                    try await job.delete()
                } catch is CancellationError {
                    continue
                }
            }
            while had.count < put.count, let job = try await tube.reserve(timeout: .seconds(10)) {
                #expect(had.insert(job.id).inserted)
                try await job.delete()
            }
            #expect(had == put)
            #expect(try await tube.statistics().jobs == 0)
        }
    }

    @Test(arguments: TestQueue.allCases)
    func closingGivesBackWhatIsHeld(queue: TestQueue) async throws {
        try await queue.withConnections(2) { connections in
            let tube = try connections[0].use("closing")
            let other = try connections[1].use("closing")
            let id = try await tube.put("hello")
            let job = try #require(try await tube.reserve())
            let waiting = Task { try await tube.next() }
            try await eventually("somebody waits") { try await other.statistics().waiting >= 1 }
            try await connections[0].close()
            await expect(.closed) { _ = try await waiting.value }
            await expect(.closed) { _ = try await tube.put("too late") }
            await expect(.closed) { try await job.delete() }
            let again = try #require(try await other.reserve(timeout: .seconds(20)))
            #expect(again.id == id)
            #expect(again.retries == 0)
            try await again.delete()
        }
    }

    @Test(arguments: TestQueue.allCases)
    func aLoopOfJobsEndsWhenItIsCancelled(queue: TestQueue) async throws {
        try await queue.withConnection { connection in
            let tube = try connection.use("loop")
            let seen = Happenings<String>()
            let loop = Task {
                for try await job in tube.jobs {
                    seen.add(job.text)
                    try await job.delete()
                }
                seen.add("end")
            }
            try await tube.put("one")
            #expect(try await seen.next() == "one")
            try await tube.put("two")
            #expect(try await seen.next() == "two")
            loop.cancel()
            #expect(try await seen.next() == "end")
            try await loop.value
        }
    }
}

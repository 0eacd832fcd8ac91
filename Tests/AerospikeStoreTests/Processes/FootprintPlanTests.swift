import AerospikeTestKit
import Testing

@testable import AerospikeStore

struct FootprintPlanTests {
    @Test func oneWriteTakesSeveralAndFreesThoseLeft() throws {
        var plan = FootprintPlan()
        #expect(plan.use([3, 1, 3]) == [3, 1])
        let first = try plan.mustWrite([3, 1])
        #expect(first == .init(page: 0, sequence: 1, isNew: true, adding: [1, 3], removing: []))
        #expect(!plan.isEntered(1))
        plan.finished(first, isDone: true)
        #expect(plan.isEntered(1))
        #expect(plan.isEntered(3))
        #expect(plan.use([1, 3]) == [])
        plan.leave(3)
        #expect(!plan.isEntered(3))
        // One that is still written down needs no write.
        #expect(plan.use([3]) == [])
        #expect(plan.isEntered(3))
        plan.leave(1)
        let second = try plan.mustWrite(plan.use([9]))
        #expect(second == .init(page: 0, sequence: 2, isNew: false, adding: [9], removing: [1]))
        // Until it is known to be done, what it removes is neither in nor free.
        #expect(plan.use([1]) == [1])
        plan.finished(second, isDone: true)
        #expect(plan.use([1]) == [1])
        #expect(plan.isEntered(9))
    }

    @Test func whatAFailedWriteDidIsUnknownUntilALaterOne() throws {
        var plan = FootprintPlan()
        let first = try plan.mustWrite(plan.use([1, 2]))
        plan.finished(first, isDone: false)
        #expect(!plan.isEntered(1))
        // Only one of them is wanted again: the other is removed, if it was written.
        let second = try plan.mustWrite(plan.use([1]))
        #expect(second == .init(page: 0, sequence: 2, isNew: true, adding: [1], removing: [2]))
        plan.finished(second, isDone: true)
        #expect(plan.isEntered(1))
        plan.leave(1)
        let third = try plan.mustWrite(plan.use([5]))
        plan.finished(third, isDone: false)
        // It may have been removed: it has to be written again.
        #expect(plan.use([1]) == [1])
        #expect(plan.use([5]) == [5])
    }

    @Test func pagesAreFilledAndThenAdded() throws {
        var plan = FootprintPlan()
        let many = Array(1...(StoreLimits.footprintPageSegments + 10))
        var missing = plan.use(many)
        var pages: [Int] = []
        while let write = missing.isEmpty ? nil : plan.write(for: missing) {
            pages.append(write.page)
            #expect(write.adding.count <= StoreLimits.footprintPageSegments)
            plan.finished(write, isDone: true)
            missing = plan.use(many)
        }
        #expect(pages == [0, 1])
        #expect(many.allSatisfy(plan.isEntered))
        // Room on an earlier page is used first.
        many.prefix(20).forEach { plan.leave($0) }
        let last = try plan.mustWrite(plan.use([5_000]))
        #expect(last.page == 0)
    }

    /// Random entering and leaving with writes that fail by chance, done or not: what counts as entered is always on a page
    /// as a server keeps it, and no page is ever too long.
    @Test(arguments: 0..<20 as Range<UInt64>) func whatIsEnteredIsWritten(seed: UInt64) throws {
        var dice = Dice(seed: seed)
        var plan = FootprintPlan()
        var stored: [Int: (sequence: Int64, segments: Set<Int>)] = [:]
        var late: [FootprintPlan.Write] = []
        func apply(_ write: FootprintPlan.Write) {
            var page = stored[write.page] ?? (0, [])
            guard page.sequence < write.sequence else { return }
            page.sequence = write.sequence
            page.segments.subtract(write.removing)
            page.segments.formUnion(write.adding)
            stored[write.page] = page
        }
        for _ in 0..<400 {
            let segments = (0..<Int.random(in: 1...40, using: &dice)).map { _ in Int.random(in: 1...600, using: &dice) }
            if dice.fraction() < 0.5 {
                segments.forEach { plan.leave($0) }
            } else if let write = { $0.isEmpty ? nil : plan.write(for: $0) }(plan.use(segments)) {
                let chance = dice.fraction()
                if chance < 0.9 { apply(write) } else { late.append(write) }
                plan.finished(write, isDone: chance < 0.8)
            }
            // Late duplicates arrive at any time.
            if dice.fraction() < 0.2, let write = late.popLast() { apply(write) }
            let all = stored.values.reduce(into: Set<Int>()) { $0.formUnion($1.segments) }
            #expect((1...600).allSatisfy { !plan.isEntered($0) || all.contains($0) })
            #expect(stored.values.allSatisfy { $0.segments.count <= StoreLimits.footprintPageSegments })
        }
    }
}

extension FootprintPlan {
    /// Like ``write(for:)``, where there must be room.
    fileprivate mutating func mustWrite(_ segments: [Int]) throws -> Write {
        let write = write(for: segments)
        return try #require(write)
    }
}

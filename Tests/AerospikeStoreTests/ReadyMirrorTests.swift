import BeanspikeCore
import JobStoreTestKit
import Testing

@testable import AerospikeStore

@Suite struct ReadyMirrorTests {
    @Test(arguments: 0..<20)
    func takesTheBestAsASortedListDoes(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var expected: [ReadyMirror.Job] = []
        for slot in 0..<60 {
            expected.append((slot, SegmentTests.entry(slot, priority: .random(in: 0..<6, using: &random))))
        }
        var mirror = ReadyMirror(expected.shuffled(using: &random))
        for slot in 60..<400 {
            switch Int.random(in: 0..<3, using: &random) {
            case 0:
                let job = (slot, SegmentTests.entry(slot, priority: .random(in: 0..<6, using: &random)))
                mirror.insert(job)
                expected.append(job)
            case 1:
                let slot = Int.random(in: 0..<slot, using: &random)
                mirror.remove(slot)
                expected.removeAll { $0.slot == slot }
            default:
                let priorityMax = UInt32.random(in: 0..<8, using: &random)
                let count = Int.random(in: 0..<4, using: &random)
                expected.sort { ($0.entry.details.priority, $0.slot) < ($1.entry.details.priority, $1.slot) }
                let best = expected.prefix(count).prefix { $0.entry.details.priority <= priorityMax }
                let taken = mirror.takeBest(count, priorityMax: priorityMax)
                #expect(taken.map(\.slot) == best.map(\.slot))
                expected.removeFirst(best.count)
            }
            #expect(mirror.count == expected.count)
            let best = expected.min { ($0.entry.details.priority, $0.slot) < ($1.entry.details.priority, $1.slot) }
            #expect(mirror.best?.slot == best?.slot)
        }
    }
}

@Suite struct RecordKnowledgeTests {
    @Test func generationsAreForeseenAsLongAsNobodyElseWrites() {
        var record = RecordKnowledge()
        #expect(record.noteSent() == nil)
        #expect(record.noteAnswered(65_534, expected: nil, behind: 0) == [])
        #expect(record.noteSent() == 65_535)
        // 0 is no generation.
        #expect(record.noteSent() == 1)
        #expect(record.noteAnswered(65_535, expected: 65_535, behind: 1) == [1])
        #expect(record.generation == 1)
        #expect(record.isCalm)
    }

    @Test func whoIsDisturbedWaitsLongerEachTime() {
        var record = RecordKnowledge()
        var generation: UInt32 = 10
        _ = record.noteAnswered(generation, expected: nil, behind: 0)
        for wait in [1, 2, 4, 8] {
            record.ready = ReadyMirror([])
            _ = record.noteSent()
            generation += 2
            _ = record.noteAnswered(generation, expected: generation - 1, behind: 0)
            #expect(record.ready == nil)
            for _ in 0..<wait {
                #expect(!record.isCalm)
                generation += 1
                let expected = record.noteSent()
                _ = record.noteAnswered(generation, expected: expected, behind: 0)
            }
            #expect(record.isCalm)
        }
    }

    @Test func whatOthersWroteIsForeseenForTheWorksBehind() {
        var record = RecordKnowledge()
        _ = record.noteAnswered(5, expected: nil, behind: 0)
        _ = record.noteSent()
        _ = record.noteSent()
        // Somebody wrote before the first of two.
        #expect(record.noteAnswered(7, expected: 6, behind: 1) == [8])
        #expect(record.generation == 8)
        #expect(record.noteAnswered(8, expected: 8, behind: 0) == [])
    }
}

import Testing

@testable import AerospikeStore

@Suite struct RecordKnowledgeTests {
    @Test func generationsAreForeseenAsLongAsNobodyElseWrites() {
        var record = RecordKnowledge()
        #expect(record.noteSent() == nil)
        #expect(record.noteAnswered(2, 65_534, expected: nil, behind: 0) == [])
        #expect(record.noteSent() == 65_535)
        // 0 is no generation.
        #expect(record.noteSent() == 1)
        #expect(record.noteAnswered(2, 65_535, expected: 65_535, behind: 1) == [1])
        #expect(record.generation == 1)
        #expect(record.isCalm)
        #expect(record.lastSequence == 2)
        record.noteDisturbed()
        #expect(record.lastSequence == nil && record.generation == nil)
    }

    @Test func whoIsDisturbedWaitsLongerEachTime() {
        var record = RecordKnowledge()
        var generation: UInt32 = 10
        _ = record.noteAnswered(2, generation, expected: nil, behind: 0)
        for wait in [1, 2, 4, 8] {
            record.ready = ReadyMirror([])
            _ = record.noteSent()
            generation += 2
            _ = record.noteAnswered(2, generation, expected: generation - 1, behind: 0)
            #expect(record.ready == nil)
            for _ in 0..<wait {
                #expect(!record.isCalm)
                generation += 1
                let expected = record.noteSent()
                _ = record.noteAnswered(2, generation, expected: expected, behind: 0)
            }
            #expect(record.isCalm)
        }
    }

    @Test func whatOthersWroteIsForeseenForTheWorksBehind() {
        var record = RecordKnowledge()
        _ = record.noteAnswered(2, 5, expected: nil, behind: 0)
        _ = record.noteSent()
        _ = record.noteSent()
        // Somebody wrote before the first of two.
        #expect(record.noteAnswered(2, 7, expected: 6, behind: 1) == [8])
        #expect(record.generation == 8)
        #expect(record.noteAnswered(2, 8, expected: 8, behind: 0) == [])
    }
}

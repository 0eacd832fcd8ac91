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

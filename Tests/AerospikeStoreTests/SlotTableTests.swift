import JobStoreTestKit
import Testing

@testable import AerospikeStore

@Suite
struct SlotTableTests {
    @Test(arguments: 0..<20)
    func isADictionary(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var table = SlotTable<Int>()
        var model: [Int: Int] = [:]
        for step in 0..<2_000 {
            let slot = Int.random(in: 0..<StoreLimits.segmentSlots, using: &random)
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                table[slot] = step
                model[slot] = step
            case 5..<9:
                table[slot] = nil
                model[slot] = nil
            default:
                let count = Int.random(in: 0..<20, using: &random)
                let before = table
                let taken = table.takeFirst(count)
                #expect(taken.count == min(count, before.count))
                #expect(before.map(\.slot) == taken.map(\.slot) + table.map(\.slot))
                for (slot, value) in taken { #expect(model.removeValue(forKey: slot) == value) }
            }
            #expect(table.count == model.count && table[slot] == model[slot])
            #expect(table.slots == SlotSet(model.keys) && table.slots.count == model.count)
        }
        #expect(table.sorted.map(\.slot) == model.keys.sorted())
        #expect(Dictionary(uniqueKeysWithValues: table.map { ($0.slot, $0.value) }) == model)
    }

    @Test(arguments: [-1, -64, 128, 192, Int.max, Int.min])
    func isNoSlot(number: Int) {
        var slots = SlotSet([0, 63, 64, 127])
        slots.insert(number)
        #expect(!slots.contains(number) && slots.count == 4)
        slots.remove(number)
        #expect(slots == [0, 63, 64, 127] && slots.contains(63) && slots.contains(64) && !slots.contains(1))
        slots.formUnion([1, 100])
        #expect(slots.count == 6 && !slots.isEmpty && SlotSet().isEmpty)
    }
}

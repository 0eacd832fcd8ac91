import AerospikeTestKit
import Testing

/// Who is to hold what.
struct SuccessionTests {
    private func succession(of places: [Int]) -> Succession {
        Succession(of: places.map { ($0, UInt64($0 + 1) << 32) }, partitionCount: 4096)
    }

    @Test func partitionsAreSharedOutEvenly() {
        let succession = succession(of: [0, 1, 2, 3])
        for replica in 0..<4 {
            var counts = [0, 0, 0, 0]
            for partitionID in 0..<4096 {
                counts[succession.nodes(ofPartition: partitionID)[replica]] += 1
            }
            #expect(counts.allSatisfy { (900...1150).contains($0) })
        }
        #expect((0..<4096).allSatisfy { Set(succession.nodes(ofPartition: $0)) == [0, 1, 2, 3] })
    }

    @Test func aNodeThatGoesLeavesTheOrderOfTheOthers() {
        let before = succession(of: [0, 1, 2, 3])
        let after = succession(of: [3, 0, 1])
        for partitionID in 0..<4096 {
            #expect(before.nodes(ofPartition: partitionID).filter { $0 != 2 } == after.nodes(ofPartition: partitionID))
        }
    }

    @Test func theWorkingMasterStandsInForWhoHasNothingYet() {
        // 0 has the records, 1 is to be master and 2 its replica.
        let moving = PartitionTable.Row(replicas: [1, 2], workingMaster: 0, full: NodeSet([0]))
        // 1 is master, and 2 is still to get the records.
        let filling = PartitionTable.Row(replicas: [1, 2], workingMaster: 1, full: NodeSet([1]))
        let done = PartitionTable.Row(replicas: [1, 2], workingMaster: 1, full: NodeSet([1, 2]))
        let table = PartitionTable(rows: [moving, filling, done], replicationFactor: 2)
        func claims(_ partitionID: Int) -> [[Bool]] {
            (0..<3).map { node in (0..<2).map { table.claims(node, partitionID, asReplica: $0) } }
        }
        #expect(claims(0) == [[true, true], [false, false], [false, false]])
        #expect(claims(1) == [[false, false], [true, true], [false, false]])
        #expect(claims(2) == [[false, false], [true, false], [false, true]])
        #expect(table.isMoving)
        #expect(!PartitionTable(rows: [done], replicationFactor: 2).isMoving)
    }
}

import Aerospike
import AerospikeTestKit
import Testing

/// What a real server 8.1.0 was seen to do, without one.
///
/// The lines were captured by ``CollectionDifferentialTests``:
///
/// ```sh
/// AEROSPIKE_HOST=127.0.0.1 AEROSPIKE_SEED=7 AEROSPIKE_COLLECTION_OPERATIONS=30000 \
///     AEROSPIKE_COLLECTION_VECTORS=Tests/AerospikeTestKitTests/Vectors/collections.txt \
///     swift test --filter CollectionDifferentialTests
/// ```
@Suite struct CollectionVectorTests {
    @Test func theEvaluatorDoesWhatAServerDid() throws {
        let vectors = try CollectionVectors.parse(PackageResources.collections_txt)
        #expect(vectors.count > 1000)
        for vector in vectors {
            let ours = CollectionEvaluator.result(of: vector.call, on: vector.bin, modifies: vector.modifies).result
            #expect(ours == vector.result, "\(vector.line)")
        }
    }

    /// Seen on a server too, with the client for Python.
    @Test(arguments: [false, true])
    func anIndexShowsInTheOrderOfAnswers(persistsIndex: Bool) throws {
        var map = Value.Map([(1, 5), (2, 3), (3, 4)], order: .keyValueOrdered)
        map.persistsIndex = persistsIndex
        let operations: [(Operation, Value)] = [
            (.map("m").get(.values(from: 0, upTo: 10)), persistsIndex ? [3, 4, 5] : [5, 3, 4]),
            (.map("m").get(.values(from: 0, upTo: 10), returning: .index), persistsIndex ? [1, 2, 0] : [0, 1, 2]),
            (.map("m").get(.values(in: [5, 4]), returning: .index), [0, 2]),
        ]
        for (operation, answer) in operations {
            let call = try #require(operation.packedCollectionCall)
            let outcome = try CollectionEvaluator.apply(call.bytes, to: .map(map), modifies: false)
            #expect(outcome.answer == answer)
        }
    }
}

import Aerospike
import AerospikeTestKit
import Testing

/// What a real server 8.1.0 was seen to do, without one.
///
/// The lines were captured by ``CollectionDifferentialTests``:
///
/// ```sh
/// AEROSPIKE_HOST=127.0.0.1 AEROSPIKE_SEED=7 AEROSPIKE_COLLECTION_OPERATIONS=40000 \
///     AEROSPIKE_COLLECTION_VECTORS=Tests/AerospikeTestKitTests/Vectors/collections.txt \
///     swift test --filter CollectionDifferentialTests
/// ```
@Suite struct CollectionVectorTests {
    @Test func theEvaluatorDoesWhatAServerDid() throws {
        let vectors = try CollectionVectors.parse(PackageResources.collections_txt)
        #expect(vectors.count > 500)
        for vector in vectors {
            let ours = CollectionEvaluator.result(of: vector.call, on: vector.bin, modifies: vector.modifies).result
            #expect(ours == vector.result, "\(vector.line)")
        }
    }
}

package import Aerospike
package import NIOCore

/// Applies one operation on a HyperLogLog sketch, as aerospike-server 8.1 does (base/particle_hll.c).
package enum HyperLogLogEvaluator {
    /// Applies an operation to a bin; see ``CollectionEvaluator/apply(_:to:modifies:)``.
    package static func apply(
        _ packed: ByteBuffer,
        to bin: Value?,
        modifies: Bool
    ) throws(Refusal) -> CollectionEvaluator.Outcome {
        throw .unknown("operations on sketches")
    }
}

package import Aerospike
package import NIOCore

/// Applies one operation on the bits of a blob, as aerospike-server 8.1 does (base/particle_blob.c).
package enum BitEvaluator {
    /// Applies an operation to a bin; see ``CollectionEvaluator/apply(_:to:modifies:)``.
    package static func apply(
        _ packed: ByteBuffer,
        to bin: Value?,
        modifies: Bool
    ) throws(Refusal) -> CollectionEvaluator.Outcome {
        throw .unknown("operations on bits")
    }
}

/// The limits of a queue on Aerospike, with the relations that must hold between them.
package enum StoreLimits {
    /// Slots of a segment record, and so how many ids it covers.
    ///
    /// Part of the format: never changed.
    package static let segmentSlots = 128
    /// A segment whose jobs take this many bytes takes no more: a record is shipped whole to its replicas at each write.
    package static let segmentBytesMax = 16_384
    /// A longer body has a record of its own, in bytes.
    package static let inlineBodyBytesMax = 512
    /// The longest body, in bytes.
    package static let bodyBytesMax = 64 << 20
    /// A longer body is cut into records of so many bytes; under the server's least `max-record-size` by default, 1 MiB.
    package static let bodyPieceBytesMax = 1_000_000
    /// Segments that a leaf of a tube's directory covers.
    ///
    /// Part of the format.
    package static let leafSegments = 512
    /// Leaves of a tube's directory.
    ///
    /// Part of the format.
    package static let leavesMax = 1_024
    /// Segments that a page of a process's footprint lists.
    package static let footprintPageSegments = 256
    /// Processes that share a queue.
    package static let processesMax = 512

    /// Whether the limits agree with each other; asserted by a test.
    package static var areConsistent: Bool {
        inlineBodyBytesMax < segmentBytesMax && bodyPieceBytesMax < 1 << 20 && bodyBytesMax / bodyPieceBytesMax < 128
    }
}

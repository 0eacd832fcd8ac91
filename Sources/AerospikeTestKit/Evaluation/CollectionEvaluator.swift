package import Aerospike
package import NIOCore

/// Applies one operation on a list or map, as aerospike-server 8.1 does (base/cdt.c, particle_list.c, particle_map.c).
package enum CollectionEvaluator {
    /// What an operation came to.
    package struct Outcome: Sendable, Hashable {
        /// What it answers; nil where a real server answers no value at all.
        package var answer: Value?
        /// The bin afterwards; nil where there is none.
        package var bin: Value?

        package init(answer: Value?, bin: Value?) {
            self.answer = answer
            self.bin = bin
        }
    }

    /// Applies an operation to a bin.
    ///
    /// - Parameters:
    ///   - packed: the operation as it is sent: a list of code and arguments, with the way to what is nested before it.
    ///   - bin: what the bin holds; nil if there is none.
    ///   - modifies: whether the operation came as one that may change the bin.
    /// - Returns: the answer, and the bin afterwards.
    /// - Throws: ``Refusal`` with the code that a real server answers; nothing is changed then.
    package static func apply(_ packed: ByteBuffer, to bin: Value?, modifies: Bool) throws(Refusal) -> Outcome {
        throw .unknown("operations on lists and maps")
    }
}

package import Aerospike
package import NIOCore

/// Evaluates expressions for a record, as aerospike-server 8.1 does (base/exp.c).
package enum ExpressionEvaluator {
    /// What an expression sees of a record.
    package struct RecordView: Sendable {
        package var key: Key
        /// Whether the user's key is stored with the record.
        package var storesUserKey = false
        /// The bins; nil for a filter that is looked at before they are read.
        package var bins: [String: Value] = [:]
        package var generation: UInt32 = 0
        /// Nanoseconds since 1970.
        package var lastUpdateNanoseconds: Int64 = 0
        package var nowNanoseconds: Int64 = 0
        /// Seconds since 1970; nil if the record lives for ever.
        package var voidTimeSeconds: Int64?
        /// The bytes that the record takes.
        package var recordBytes = 0
        package var isTombstone = false

        package init(key: Key) {
            self.key = key
        }
    }

    /// Checks that bytes are an expression and of which type, as a server does before it looks at any record.
    ///
    /// - Throws: ``Refusal`` with the code that a real server answers.
    package static func check(_ packed: ByteBuffer) throws(Refusal) {
        throw .unknown("expressions")
    }

    /// The expression's value for a record; nil if it is unknown.
    ///
    /// - Throws: ``Refusal`` with the code that a real server answers.
    package static func evaluate(_ packed: ByteBuffer, for record: RecordView) throws(Refusal) -> Value? {
        throw .unknown("expressions")
    }
}

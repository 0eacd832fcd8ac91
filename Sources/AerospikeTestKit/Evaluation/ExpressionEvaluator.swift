package import Aerospike
package import NIOCore

/// Evaluates expressions for a record, as aerospike-server 8.1 does (base/exp.c).
package enum ExpressionEvaluator {
    /// What an expression sees of a record.
    package struct RecordView: Sendable {
        package var key: Key
        /// Whether the user's key is stored with the record.
        package var storesUserKey = false
        package var bins: [String: Value] = [:]
        /// Whether the bins, and the key that is stored with them, were read: what needs them is unknown otherwise.
        package var hasBins = true
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

    /// Checks that bytes are an expression, as a server does before it looks at any record.
    ///
    /// - Throws: ``Refusal`` with the code that a real server answers.
    package static func check(_ packed: ByteBuffer) throws(Refusal) {
        _ = try ExpressionParser.parse(packed)
    }

    /// Checks that bytes are an expression that can be a filter: one whose result is a truth value.
    ///
    /// - Throws: ``Refusal`` with the code that a real server answers.
    package static func checkFilter(_ packed: ByteBuffer) throws(Refusal) {
        guard try ExpressionParser.parse(packed).type == .boolean else {
            throw .malformed("a filter whose result is no truth value")
        }
    }

    /// The expression's value for a record; nil if it is unknown, and ``Value/null`` if it is no value.
    ///
    /// - Throws: ``Refusal`` with the code that a real server answers.
    package static func evaluate(_ packed: ByteBuffer, for record: RecordView) throws(Refusal) -> Value? {
        var run = ExpressionRun(record: record)
        return try run.evaluate(try ExpressionParser.parse(packed).node)
    }

    /// Whether a record passes a filter; what is unknown does not.
    ///
    /// - Throws: ``Refusal`` with the code that a real server answers.
    package static func passes(_ packed: ByteBuffer, _ record: RecordView) throws(Refusal) -> Bool {
        let checked = try ExpressionParser.parse(packed)
        guard checked.type == .boolean else { throw .malformed("a filter whose result is no truth value") }
        var run = ExpressionRun(record: record)
        return try run.evaluate(checked.node) == .boolean(true)
    }
}

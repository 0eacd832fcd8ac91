import Aerospike
import NIOCore

/// An expression that was checked, taken apart.
indirect enum ExpressionNode {
    case constant(Value)
    /// A function all of whose arguments are expressions.
    case function(ExpCode, [ExpressionNode])
    case regex(RegularExpression, ExpressionNode)
    case digestModulo(Int32)
    case userKey(ExpressionType)
    case bin(String, ExpressionType)
    case binType(String)
    case cond([(when: ExpressionNode, then: ExpressionNode)], otherwise: ExpressionNode)
    /// A variable, by its place among those that are in sight.
    case variable(Int)
    /// The values of variables from a place on, and the expression that they are for.
    case `let`(first: Int, [ExpressionNode], ExpressionNode)
    case call(ExpressionCall)
}

/// A call of an operation on a list or map, on bits, or on a sketch.
struct ExpressionCall {
    /// What the call is put together from.
    enum Part {
        /// Bytes that are sent as they are.
        case packed(ByteBuffer)
        /// An argument that is to be evaluated.
        case argument(ExpressionNode)
    }

    var parts: [Part]
    /// Which of the server's systems it is for; nil where the server does not look, the value being none.
    var system: ExpPlace.System?
    /// Whether the result is the value that it is called on, modified.
    var modifies: Bool
    /// The type that the result must have.
    var type: ExpressionType
    var target: ExpressionNode
}

import Aerospike
import NIOCore

/// Evaluates an expression that was checked for one record (aerospike-server 8.1, base/exp.c, `rt_eval`).
///
/// A result that is unknown is nil.
struct ExpressionRun {
    let record: ExpressionEvaluator.RecordView
    /// The variables in sight; nil for those that are unknown.
    private var variables: [Value?] = []
    /// Whether a call answered keys and values, of which there were none.
    var hasEmptySelection = false

    init(record: ExpressionEvaluator.RecordView) {
        self.record = record
    }

    mutating func evaluate(_ node: ExpressionNode) throws(Refusal) -> Value? {
        switch node {
        case .constant(let value): return value
        case .function(let code, let arguments): return try evaluate(code, arguments)
        case .regex(let regex, let text):
            guard case .string(let text)? = try evaluate(text) else { return nil }
            return .boolean(regex.matches(text))
        case .digestModulo(let divisor): return record.digestModulo(divisor)
        case .userKey(let type): return record.userKey(type)
        case .bin(let name, let type):
            guard record.hasBins, let value = record.bins[name], type.includes(value) else { return nil }
            return value
        case .binType(let name):
            guard record.hasBins else { return nil }
            return .integer(Int64((record.bins[name] ?? .null).particleType.rawValue))
        case .cond(let cases, let otherwise): return try evaluate(cases, otherwise)
        case .variable(let index): return variables[index]
        case .let(let first, let values, let body):
            for (index, value) in values.enumerated() {
                let value = try evaluate(value)
                // While a value is evaluated its own place is empty, and those of the variables within it come after.
                while variables.count <= first + index {
                    variables.append(nil)
                }
                variables[first + index] = value
            }
            return try evaluate(body)
        case .call(let call): return try evaluate(call)
        }
    }

    private mutating func evaluate(
        _ cases: [(when: ExpressionNode, then: ExpressionNode)],
        _ otherwise: ExpressionNode
    ) throws(Refusal) -> Value? {
        for one in cases {
            guard case .boolean(let isSo)? = try evaluate(one.when) else { return nil }
            if isSo {
                return try evaluate(one.then)
            }
        }
        return try evaluate(otherwise)
    }

    // MARK: Functions

    private mutating func evaluate(_ code: ExpCode, _ arguments: [ExpressionNode]) throws(Refusal) -> Value? {
        switch code {
        case .unknown: return nil
        case .and: return try logic(arguments, decidedBy: false)
        case .or: return try logic(arguments, decidedBy: true)
        case .exclusive: return try exclusive(arguments)
        default: break
        }
        // The rest is unknown as soon as one argument is, and what comes after that is not evaluated.
        var values: [Value] = []
        for argument in arguments {
            guard let value = try evaluate(argument) else { return nil }
            values.append(value)
        }
        switch code {
        case .equal, .notEqual, .greater, .greaterOrEqual, .less, .lessOrEqual:
            return try compare(values[0], values[1], by: code).map(Value.boolean)
        case .comparesGeo: throw .unknown("comparing places")
        case .not:
            guard case .boolean(let value) = values[0] else { return nil }
            return .boolean(!value)
        default: break
        }
        if values.isEmpty {
            return record.metadata(code)
        }
        let integers = values.compactMap(\.asInteger)
        if integers.count == values.count {
            return try ExpressionArithmetic.evaluate(code, integers)
        }
        if case (.integer(let number), .boolean(let bit)) = (values[0], values.last ?? .null) {
            return ExpressionArithmetic.scan(code, number, for: bit)
        }
        return ExpressionArithmetic.evaluate(code, values.compactMap(\.asDouble))
    }

    private mutating func logic(_ arguments: [ExpressionNode], decidedBy decision: Bool) throws(Refusal) -> Value? {
        var isUnknown = false
        for argument in arguments {
            guard case .boolean(let value)? = try evaluate(argument) else {
                isUnknown = true
                continue
            }
            if value == decision {
                return .boolean(decision)
            }
        }
        return isUnknown ? Value?.none : .boolean(!decision)
    }

    private mutating func exclusive(_ arguments: [ExpressionNode]) throws(Refusal) -> Value? {
        var isFound = false
        for argument in arguments {
            guard case .boolean(let value)? = try evaluate(argument) else { return nil }
            if value, isFound {
                return false
            }
            isFound = isFound || value
        }
        return .boolean(isFound)
    }
}

extension Value {
    fileprivate var asInteger: Int64? {
        if case .integer(let value) = self { value } else { nil }
    }

    fileprivate var asDouble: Double? {
        if case .double(let value) = self { value } else { nil }
    }
}

import Aerospike
import AerospikeTestKit
import NIOCore

/// What an expression or operation came to, here or on a real server.
enum EvaluationOutcome: Equatable {
    case value(Value?)
    case refused(ResultCode)

    /// What the in-process node makes of an expression; nil for what it does not know.
    init?(ours packed: [UInt8], for view: ExpressionEvaluator.RecordView) {
        do throws(Refusal) {
            guard let value = try ExpressionEvaluator.evaluate(ByteBuffer(bytes: packed), for: view) else {
                self = .refused(.notApplicable)
                return
            }
            self = .value(value == .null ? Value?.none : value)
        } catch {
            guard !error.isUnknown else { return nil }
            self = .refused(error.code)
        }
    }

    /// What a real server answers.
    init(_ ask: () throws -> Value?) throws {
        do {
            let value = try ask()
            self = .value(value == .null ? Value?.none : value)
        } catch let error as AerospikeError where error.code.rawValue > 0 {
            self = .refused(error.code)
        }
    }

    /// Whether it is the same, bit by bit, but that two doubles that are no numbers are equal.
    func matches(_ other: EvaluationOutcome) -> Bool {
        line == other.line
    }

    /// The outcome in a few characters.
    var line: String {
        switch self {
        case .refused(let code): "!\(code.rawValue)"
        case .value(.double(let value)?) where value.isNaN: "=nan"
        case .value(let value):
            {
                var buffer = ByteBuffer()
                buffer.packValue(value ?? .null)
                return "=" + buffer.hex
            }()
        }
    }
}

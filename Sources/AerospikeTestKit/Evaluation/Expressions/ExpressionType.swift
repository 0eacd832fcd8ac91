import Aerospike

/// The type of an expression's result, as far as it is known before any record is (aerospike-server 8.1, base/exp.c,
/// `result_type`).
enum ExpressionType: UInt8 {
    case null = 0
    case boolean = 1
    case integer = 2
    case string = 3
    case list = 4
    case map = 5
    case blob = 6
    case double = 7
    case geoJSON = 8
    case hyperLogLog = 9
    /// What can be compared with its like, and nothing else (`TYPE_END`).
    case none = 10

    /// The type of a number in an expression, of which the server looks at the lower 32 bits only.
    init?(code: Int64) {
        guard let type = ExpressionType(rawValue: UInt8(truncatingIfNeeded: code)), type != .none,
            Int32(truncatingIfNeeded: code) == Int32(type.rawValue)
        else { return nil }
        self = type
    }

    /// Whether a value is of the type.
    func includes(_ value: Value) -> Bool {
        value.particleType == particleType
    }

    private var particleType: ParticleType? {
        switch self {
        case .null: .null
        case .boolean: .boolean
        case .integer: .integer
        case .string: .string
        case .list: .list
        case .map: .map
        case .blob: .blob
        case .double: .double
        case .geoJSON: .geoJSON
        case .hyperLogLog: .hyperLogLog
        case .none: nil
        }
    }
}

import Aerospike

/// Adds as `increment` and `decrement` do (aerospike-server 8.1, base/cdt.c, `cdt_calc_delta`).
enum NumberSum {
    /// The sum.
    ///
    /// - Parameters:
    ///   - value: what there is; nil for nothing, which is 0 of the amount's type.
    ///   - amount: what is added; nil or ``Aerospike/Value/null`` for 1.
    ///   - isDifference: whether it is subtracted.
    /// - Returns: the sum, of the type of what there is.
    /// - Throws: ``Refusal`` if either is no number.
    static func of(_ value: Value?, _ amount: Value?, isDifference: Bool = false) throws(Refusal) -> Value {
        let integer: Int64
        let double: Double
        switch amount ?? .null {
        // A double is cut to an integer where it is added to one.
        case .integer(let amount): (integer, double) = (amount, Double(amount))
        case .double(let amount): (integer, double) = (Int64(exactly: amount.rounded(.towardZero)) ?? .min, amount)
        case .null: (integer, double) = (1, 1)
        case let other: throw .parameter("\(other) cannot be added")
        }
        switch value {
        case .integer(let value): return .integer(isDifference ? value &- integer : value &+ integer)
        case .double(let value): return .double(isDifference ? value - double : value + double)
        case nil:
            if case .double(let amount) = amount {
                return .double(isDifference ? 0 - amount : 0 + amount)
            }
            return .integer(isDifference ? 0 &- integer : integer)
        case let other?: throw .parameter("\(other) is no number")
        }
    }
}

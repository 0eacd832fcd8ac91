extension Exp {
    /// The result that makes whatever needs it unknown too.
    ///
    /// A filter treats unknown as false; a read or write of an expression fails, unless told not to.
    public static var unknown: Exp { Exp(.unknown) }

    /// No value.
    ///
    /// Written to a bin it deletes the bin, if the write allows that.
    public static var null: Exp { Exp(constant: .null) }

    /// The result of the first case whose condition is true, or else of the last.
    ///
    /// ```swift
    /// let price: Exp<Int> = .cond(
    ///     (when: .int(bin: "age") < 18, then: 5),
    ///     (when: .int(bin: "age") > 65, then: 7),
    ///     otherwise: 10
    /// )
    /// ```
    public static func cond(_ cases: (when: Exp<Bool>, then: Exp)..., otherwise: Exp) -> Exp {
        Exp(.cond, cases.flatMap { [$0.when.packed, $0.then.packed] } + [otherwise.packed])
    }

    /// A name for an expression that is then evaluated once, however often it is used.
    ///
    /// ```swift
    /// let isFair: Exp<Bool> = .let("total", .int(bin: "a") + .int(bin: "b")) { total in
    ///     total > 10 && total < 20
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - name: a name that no enclosing `let` has.
    ///   - value: the expression that it stands for.
    ///   - body: makes the expression in which the name is known.
    /// - Returns: the expression.
    public static func `let`<Variable>(
        _ name: String,
        _ value: Exp<Variable>,
        in body: (Exp<Variable>) -> Exp
    ) -> Exp {
        .let([.define(name, value)], in: body(.variable(name)))
    }

    /// Names for expressions that are then evaluated once each, in order, and may use those before them.
    ///
    /// - Parameters:
    ///   - definitions: the names and what they stand for.
    ///   - body: the expression in which they are known, as ``variable(_:)``.
    /// - Returns: the expression.
    public static func `let`(_ definitions: [ExpDefinition], in body: Exp) -> Exp {
        Exp(.let, definitions.flatMap { [packed(name: $0.name), $0.packed] } + [body.packed])
    }

    /// What a name stands for within a `let`.
    public static func variable(_ name: String) -> Exp {
        Exp(.variable, [packed(name: name)])
    }
}

/// A name within a `let`, and the expression that it stands for.
public struct ExpDefinition: Sendable, Hashable {
    package let name: String
    package let packed: [UInt8]

    /// A name for an expression.
    public static func define(_ name: String, _ value: Exp<some ExpType>) -> ExpDefinition {
        ExpDefinition(name: name, packed: value.packed)
    }
}

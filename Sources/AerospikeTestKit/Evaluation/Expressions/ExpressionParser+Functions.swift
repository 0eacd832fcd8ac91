import Aerospike
import NIOCore

extension ExpressionParser {
    /// Checks the arguments of a function.
    mutating func function(_ code: ExpCode, argumentCount: Int) throws(Refusal) -> Checked {
        switch code {
        case .unknown:
            try expect(0, of: argumentCount)
            return Checked(node: .function(code, []), type: .boolean, isUnknown: true)
        case .equal, .notEqual, .greater, .greaterOrEqual, .less, .lessOrEqual, .comparesGeo:
            return try comparison(code, argumentCount)
        case .matchesRegex:
            return try regex(argumentCount)
        case .digestModulo:
            try expect(1, of: argumentCount)
            let divisor = Int32(truncatingIfNeeded: try number())
            guard divisor != 0 else { throw .malformed("a digest modulo 0") }
            return Checked(node: .digestModulo(divisor), type: .integer)
        case .userKey:
            try expect(1, of: argumentCount)
            guard let type = ExpressionType(code: try number()), [.integer, .string, .blob].contains(type) else {
                throw .malformed("a key of an impossible type")
            }
            return Checked(node: .userKey(type), type: type)
        case .bin:
            try expect(2, of: argumentCount)
            guard let type = ExpressionType(code: try number()) else { throw .malformed("a bin of an unknown type") }
            return Checked(node: .bin(try binName(), type), type: type)
        case .binType:
            try expect(1, of: argumentCount)
            return Checked(node: .binType(try binName()), type: .integer)
        case .cond: return try cond(argumentCount)
        case .variable: return try variable(argumentCount)
        case .let: return try definitions(argumentCount)
        case .quote:
            try expect(1, of: argumentCount)
            return try quoted()
        case .call: return try call(argumentCount)
        default: return try typed(code, argumentCount)
        }
    }

    // MARK: Functions of arguments whose types are fixed

    private mutating func typed(_ code: ExpCode, _ argumentCount: Int) throws(Refusal) -> Checked {
        let arguments = try arguments(argumentCount)
        let types = arguments.map(\.type)
        guard let type = code.resultType(of: types) else {
            throw .malformed("\(code) is not for arguments of types \(types)")
        }
        return Checked(node: .function(code, arguments.map(\.node)), type: type)
    }

    private mutating func arguments(_ count: Int) throws(Refusal) -> [Checked] {
        // Each has a byte at least: what claims more than there are would only be long in failing.
        guard count <= input.readableBytes else { throw .malformed("it ends too early") }
        var arguments: [Checked] = []
        for _ in 0..<count {
            arguments.append(try next())
        }
        return arguments
    }

    private mutating func comparison(_ code: ExpCode, _ argumentCount: Int) throws(Refusal) -> Checked {
        try expect(2, of: argumentCount)
        let arguments = try arguments(2)
        let isOfPlaces = arguments[0].type == .geoJSON
        guard arguments[0].type == arguments[1].type, arguments[0].type != .hyperLogLog,
            isOfPlaces == (code == .comparesGeo)
        else { throw .malformed("\(code) of \(arguments[0].type) and \(arguments[1].type)") }
        return Checked(node: .function(code, arguments.map(\.node)), type: .boolean)
    }

    private mutating func regex(_ argumentCount: Int) throws(Refusal) -> Checked {
        try expect(3, of: argumentCount)
        let options = Int32(truncatingIfNeeded: try number())
        let pattern = try name()
        let text = try next()
        guard text.type == .string else { throw .malformed("a regular expression for what is no string") }
        guard let regex = RegularExpression(Array(pattern.readableBytesView), options: options) else {
            throw .malformed("'\(String(buffer: pattern))' is no regular expression")
        }
        return Checked(node: .regex(regex, text.node), type: .boolean)
    }

    // MARK: Control

    private mutating func cond(_ argumentCount: Int) throws(Refusal) -> Checked {
        guard argumentCount >= 3, argumentCount % 2 == 1 else { throw .malformed("a cond without a default") }
        let arguments = try arguments(argumentCount)
        var type: ExpressionType?
        var cases: [(when: ExpressionNode, then: ExpressionNode)] = []
        for index in stride(from: 0, to: argumentCount - 1, by: 2) {
            guard arguments[index].type == .boolean else { throw .malformed("a condition that is no truth value") }
            try unify(arguments[index + 1], with: &type)
            cases.append((when: arguments[index].node, then: arguments[index + 1].node))
        }
        let last = arguments[argumentCount - 1]
        try unify(last, with: &type)
        return Checked(node: .cond(cases, otherwise: last.node), type: type ?? last.type)
    }

    private func unify(_ result: Checked, with type: inout ExpressionType?) throws(Refusal) {
        guard !result.isUnknown else { return }
        guard result.type == type ?? result.type else { throw .malformed("a cond of different types") }
        type = result.type
    }

    private mutating func variable(_ argumentCount: Int) throws(Refusal) -> Checked {
        try expect(1, of: argumentCount)
        let name = try name()
        guard let index = variables.firstIndex(where: { $0.name == name }) else {
            throw .malformed("nothing is named '\(String(buffer: name))'")
        }
        guard let type = variables[index].type, type != .none else {
            throw .malformed("'\(String(buffer: name))' is used before it has a value")
        }
        return Checked(node: .variable(index), type: type)
    }

    private mutating func definitions(_ argumentCount: Int) throws(Refusal) -> Checked {
        guard argumentCount >= 3, argumentCount % 2 == 1, argumentCount <= input.readableBytes else {
            throw .malformed("a let of \(argumentCount) arguments")
        }
        let first = variables.count
        defer { variables.removeSubrange(first...) }
        var values: [ExpressionNode] = []
        for _ in 0..<argumentCount / 2 {
            let name = try name()
            guard name.isVariableName, !variables.contains(where: { $0.name == name }) else {
                throw .malformed("a variable cannot be named '\(String(buffer: name))' here")
            }
            variables.append((name: name, type: nil))
            let index = variables.count - 1
            let value = try next()
            variables[index].type = value.type
            values.append(value.node)
        }
        var body = try next()
        body.node = .let(first: first, values, body.node)
        return body
    }

    // MARK: Calls

    /// The most parts that a server puts a call together from (base/exp.c, `OP_CALL_MAX_VEC_IDX`).
    private static let callPartsMax = 18

    private mutating func call(_ argumentCount: Int) throws(Refusal) -> Checked {
        try expect(4, of: argumentCount)
        guard let type = ExpressionType(code: try number()) else { throw .malformed("a call of an unknown type") }
        let number = Int32(truncatingIfNeeded: try number())
        let parts = try callParts()
        let target = try next()
        let system = ExpPlace.System(rawValue: Int(number & ~0x40))
        switch (system, target.type) {
        // For no value at all the server does not look any further, and takes the result for none too.
        case (_, .null), (.collection?, .list), (.collection?, .map), (.bits?, .blob), (.hyperLogLog?, .hyperLogLog):
            break
        default: throw .malformed("a call on \(target.type)")
        }
        let call = ExpressionCall(
            parts: parts,
            system: system,
            modifies: number & 0x40 != 0,
            type: type,
            target: target.node
        )
        return Checked(node: .call(call), type: target.type == .null ? .null : type)
    }

    /// The operation that is called: `[code, arguments…]`, or `[255, context, [code, arguments…]]`.
    private mutating func callParts() throws(Refusal) -> [ExpressionCall.Part] {
        let start = input
        guard var count = input.readPackedListCount(), count > 0 else { throw .malformed("a call of nothing") }
        if try number() == 0xff {
            guard count == 3, input.readPackedElement() != nil, let inner = input.readPackedListCount(), inner > 0
            else {
                throw .malformed("a call in a malformed context")
            }
            count = inner
            _ = try number()
        }
        guard count <= input.readableBytes + 1 else { throw .malformed("it ends too early") }
        var packed = start.before(input)
        var parts: [ExpressionCall.Part] = []
        for _ in 1..<count {
            guard let kind = input.peekPackedKind() else { throw .malformed("it ends too early") }
            if kind == .list {
                if packed.readableBytes > 0 {
                    parts.append(.packed(packed))
                    packed.clear()
                }
                parts.append(.argument(try next().node))
            } else {
                guard let element = input.readPackedElement() else { throw .malformed("it ends too early") }
                packed.writeImmutableBuffer(element)
            }
            guard parts.count < Self.callPartsMax else { throw .malformed("a call of too many arguments") }
        }
        if packed.readableBytes > 0 {
            parts.append(.packed(packed))
        }
        return parts
    }
}

extension ByteBuffer {
    /// What was read since: the bytes of this buffer before where another begins that is the rest of it.
    fileprivate func before(_ rest: ByteBuffer) -> ByteBuffer {
        getSlice(at: readerIndex, length: rest.readerIndex - readerIndex) ?? ByteBuffer()
    }

    /// Whether it can be the name of a variable: letters, digits and underscores, no digit first.
    fileprivate var isVariableName: Bool {
        guard let first = readableBytesView.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return readableBytesView.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: false
            }
        }
    }
}

// MARK: Types

extension ExpCode {
    /// The type of a function's result for arguments of some types; nil if it is not for such.
    fileprivate func resultType(of types: [ExpressionType]) -> ExpressionType? {
        switch self {
        case .and, .or, .exclusive: types.count >= 2 && types.allSatisfy { $0 == .boolean } ? .boolean : nil
        case .not: types == [.boolean] ? .boolean : nil
        case .add, .subtract, .multiply, .divide, .minimum, .maximum:
            [ExpressionType.integer, .double].first { type in !types.isEmpty && types.allSatisfy { $0 == type } }
        case .power, .logarithm: types == [.double, .double] ? .double : nil
        case .modulo: types == [.integer, .integer] ? .integer : nil
        case .absolute: types == [.integer] ? .integer : types == [.double] ? .double : nil
        case .floor, .ceiling: types == [.double] ? .double : nil
        case .toInt: types == [.double] ? .integer : nil
        case .toDouble: types == [.integer] ? .double : nil
        case .bitAnd, .bitOr, .bitXor: !types.isEmpty && types.allSatisfy { $0 == .integer } ? .integer : nil
        case .bitNot, .countOnes: types == [.integer] ? .integer : nil
        case .shiftLeft, .shiftRight, .shiftRightArithmetically: types == [.integer, .integer] ? .integer : nil
        case .scanLeft, .scanRight: types == [.integer, .boolean] ? .integer : nil
        case .lastUpdate, .sinceUpdate, .voidTime, .timeToLive, .deviceSize, .memorySize, .recordSize:
            types.isEmpty ? .integer : nil
        case .setName: types.isEmpty ? .string : nil
        case .keyExists, .isTombstone: types.isEmpty ? .boolean : nil
        case .unknown, .equal, .notEqual, .greater, .greaterOrEqual, .less, .lessOrEqual, .matchesRegex, .comparesGeo,
            .digestModulo, .userKey, .bin, .binType, .cond, .variable, .let, .quote, .call:
            nil
        }
    }
}

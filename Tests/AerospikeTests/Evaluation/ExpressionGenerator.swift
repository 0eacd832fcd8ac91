import Aerospike
import NIOCore

/// Makes random expressions of known types, by the builder that applications use, over the bins of ``EvaluationRecord``.
struct ExpressionGenerator {
    var random: SeededGenerator
    /// Whether the record's metadata may be asked for.
    var asksMetadata = true
    /// Whether lists, maps, bits and sketches may be called on.
    var calls = true
    private var depth = 0
    private var variables: [(name: String, type: Any.Type)] = []
    private var variableCount = 0

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
    }

    mutating func pick<Element>(_ elements: Element...) -> Element {
        elements[Int.random(in: 0..<elements.count, using: &random)]
    }

    mutating func number(_ range: Range<Int>) -> Int {
        Int.random(in: range, using: &random)
    }

    mutating func chance(_ percent: Int) -> Bool {
        number(0..<100) < percent
    }

    /// An expression whose parts are one level deeper.
    mutating func deeper<Output>(_ make: (inout ExpressionGenerator) -> Exp<Output>) -> Exp<Output> {
        depth += 1
        defer { depth -= 1 }
        return make(&self)
    }

    /// Whether to end here instead of nesting deeper.
    mutating func isLeaf() -> Bool {
        depth > 5 || chance(15 + depth * 8)
    }

    /// What can stand for an expression of any type: a `cond`, a `let`, a variable, or what is unknown.
    mutating func control<Output>(_ make: (inout ExpressionGenerator) -> Exp<Output>) -> Exp<Output>? {
        let inSight = variables.filter { $0.type == Output.self }
        if !inSight.isEmpty, chance(30) {
            return .variable(inSight[number(0..<inSight.count)].name)
        }
        guard depth < 6, chance(14) else { return nil }
        return deeper { generator in
            guard generator.chance(50) else { return generator.definition(make) }
            let when = generator.bool()
            let then = generator.chance(8) ? Exp<Output>.unknown : make(&generator)
            guard generator.chance(30) else {
                return .cond((when: when, then: then), otherwise: make(&generator))
            }
            let second = generator.bool()
            return .cond((when: when, then: then), (when: second, then: make(&generator)), otherwise: .unknown)
        }
    }

    private mutating func definition<Output>(_ make: (inout ExpressionGenerator) -> Exp<Output>) -> Exp<Output> {
        variableCount += 1
        let name = "v\(variableCount)"
        func define<Variable>(_ value: Exp<Variable>) -> Exp<Output> {
            variables.append((name: name, type: Variable.self))
            defer { variables.removeLast() }
            return .let([.define(name, value)], in: make(&self))
        }
        switch number(0..<5) {
        case 0: return define(bool())
        case 1: return define(int())
        case 2: return define(double())
        case 3: return define(string())
        default: return define(list())
        }
    }

    // MARK: Truth values

    mutating func bool() -> Exp<Bool> {
        if let control = control({ $0.bool() }) {
            return control
        }
        guard !isLeaf() else {
            return pick(
                true,
                false,
                .bool(bin: "yes"),
                .bool(bin: "no"),
                .bool(bin: "none"),
                .bool(bin: "one"),
                .unknown,
                .exists(bin: "one"),
                .exists(bin: "none"),
                .userKeyExists,
                .isTombstone
            )
        }
        return deeper { generator in
            switch generator.number(0..<16) {
            case 0: return generator.bool() && generator.bool()
            case 1: return generator.bool() || generator.bool()
            case 2: return !generator.bool()
            case 3: return .exactlyOne(generator.bool(), generator.bool(), generator.bool())
            case 4: return .all(generator.bool(), generator.bool(), generator.bool())
            case 5: return .any(generator.bool(), generator.bool(), generator.bool())
            case 6: return generator.compare(generator.bool(), generator.bool())
            case 7, 8: return generator.compare(generator.int(), generator.int())
            case 9: return generator.compare(generator.double(), generator.double())
            case 10: return generator.compare(generator.string(), generator.string())
            case 11: return generator.compare(generator.blob(), generator.blob())
            case 12, 13: return generator.compare(generator.list(), generator.list())
            case 14: return generator.compare(generator.map(), generator.map())
            default: return generator.regex()
            }
        }
    }

    private mutating func compare<Output>(_ left: Exp<Output>, _ right: Exp<Output>) -> Exp<Bool> {
        let right = chance(15) ? left : right
        return pick(left == right, left != right, left < right, left <= right, left > right, left >= right)
    }

    private mutating func regex() -> Exp<Bool> {
        let pattern = pick(
            "l+o$",
            "^h.*o",
            "[a-f]+",
            "",
            "(a|b)c",
            "\\(a\\|b\\)",
            "a{2}",
            "a\\{2\\}",
            ".",
            "^$",
            "B",
            "é",
            "x\ny",
            "[[:digit:]]"
        )
        return string().matches(pattern, options: RegexOptions(rawValue: number(0..<16)))
    }

    // MARK: Numbers

    mutating func int() -> Exp<Int> {
        if let control = control({ $0.int() }) {
            return control
        }
        guard !isLeaf() else {
            if asksMetadata, chance(10) {
                return pick(
                    .digestModulo(number(1..<1000)),
                    .digestModulo(-7),
                    .lastUpdate,
                    .voidTime,
                    .recordSize,
                    .deviceSize,
                    .memorySize,
                    .userKey
                )
            }
            return pick(
                0,
                1,
                2,
                -1,
                3,
                7,
                Exp(number(-100..<100)),
                Exp(number(0..<64)),
                Exp(Int.max),
                Exp(Int.min),
                Exp(Int(truncatingIfNeeded: random.next())),
                .int(bin: "one"),
                .int(bin: "minus"),
                .int(bin: "large"),
                .int(bin: "none"),
                .int(bin: "text"),
                .type(ofBin: "list"),
                .type(ofBin: "none"),
                .type(ofBin: "map")
            )
        }
        return deeper { generator in
            switch generator.number(0..<20) {
            case 0: return generator.int() + generator.int()
            case 1: return generator.int() - generator.int()
            case 2: return generator.int() * generator.int()
            case 3: return generator.int() / generator.int()
            case 4: return -generator.int()
            case 5: return generator.int() % generator.int()
            case 6: return .sum(generator.int(), generator.int(), generator.int())
            case 7: return .product(generator.int(), generator.int(), generator.int())
            case 8: return .min(generator.int(), generator.int(), generator.int())
            case 9: return .max(generator.int(), generator.int())
            case 10: return generator.int().magnitude
            case 11: return generator.double().asInt
            case 12: return generator.int() & generator.int()
            case 13: return generator.int() | generator.int()
            case 14: return generator.int() ^ generator.int()
            case 15: return ~generator.int()
            case 16: return generator.pick(generator.int() << generator.int(), generator.int() >> generator.int())
            case 17: return generator.int().shiftedRightLogically(by: generator.int())
            case 18: return generator.int().nonzeroBitCount
            default:
                let number = generator.int()
                return generator.chance(50)
                    ? number.firstIndex(of: generator.bool()) : number.lastIndex(of: generator.bool())
            }
        }
    }

    mutating func double() -> Exp<Double> {
        if let control = control({ $0.double() }) {
            return control
        }
        guard !isLeaf() else {
            return pick(
                0,
                1,
                -0.0,
                2.5,
                -3.75,
                1e300,
                Exp(Double.infinity),
                Exp(Double.nan),
                Exp(Double.leastNonzeroMagnitude),
                Exp(Double(number(-1000..<1000)) / 8),
                .double(bin: "half"),
                .double(bin: "tiny"),
                .double(bin: "none"),
                .double(bin: "one"),
                9.3e18,
                -9.3e18
            )
        }
        return deeper { generator in
            switch generator.number(0..<14) {
            case 0: return generator.double() + generator.double()
            case 1: return generator.double() - generator.double()
            case 2: return generator.double() * generator.double()
            case 3: return generator.double() / generator.double()
            case 4: return -generator.double()
            case 5: return generator.double().power(generator.double())
            case 6: return generator.double().logarithm(base: generator.double())
            case 7: return generator.double().floor
            case 8: return generator.double().ceiling
            case 9: return generator.double().magnitude
            case 10: return .min(generator.double(), generator.double())
            case 11: return .max(generator.double(), generator.double(), generator.double())
            case 12: return .sum(generator.double(), generator.double())
            default: return generator.int().asDouble
            }
        }
    }

    // MARK: The rest

    mutating func string() -> Exp<String> {
        control { $0.string() }
            ?? pick(
                "",
                "hello",
                "Hello",
                "abc",
                "aab",
                "x\ny",
                "été",
                .string(bin: "text"),
                .string(bin: "empty"),
                .string(bin: "none"),
                .string(bin: "one"),
                .setName,
                .userKey
            )
    }

    mutating func blob() -> Exp<ByteBuffer> {
        control { $0.blob() }
            ?? pick(
                Exp(ByteBuffer(bytes: random.bytes(number(0..<6)))),
                Exp(ByteBuffer(bytes: [1, 2, 3])),
                .blob(bin: "bytes"),
                .blob(bin: "nobytes"),
                .blob(bin: "none"),
                .blob(bin: "text"),
                .userKey
            )
    }

    mutating func list() -> Exp<Value.List> {
        control { $0.list() }
            ?? pick(
                .list(bin: "list"),
                .list(bin: "sorted"),
                .list(bin: "none"),
                .list(bin: "map"),
                .list(bin: "emptylist"),
                [],
                [1, 2, 3],
                [1, [2, 3], "x"],
                Exp(Value.List([3, 1, 2], order: .ordered)),
                Exp(smallList())
            )
    }

    mutating func map() -> Exp<Value.Map> {
        control { $0.map() }
            ?? pick(
                .map(bin: "map"),
                .map(bin: "keyed"),
                .map(bin: "ranked"),
                .map(bin: "none"),
                .map(bin: "list"),
                Exp([:]),
                Exp(["a": 1]),
                Exp(Value.Map([("a", 1), ("b", 2)], order: .keyOrdered)),
                Exp(smallMap())
            )
    }

    /// A list of few and small values, so that equal ones are common.
    mutating func smallList() -> Value.List {
        Value.List((0..<number(0..<4)).map { _ in smallValue() }, order: pick(.unordered, .unordered, .ordered))
    }

    /// A map of few and small values.
    mutating func smallMap() -> Value.Map {
        let keys: [Value] = [0, 1, "a", "b"]
        return Value.Map(
            keys.filter { _ in chance(40) }.map { ($0, smallValue()) },
            order: pick(.unordered, .keyOrdered, .keyValueOrdered)
        )
    }

    mutating func smallValue(depth: Int = 2) -> Value {
        switch number(0..<(depth > 0 ? 10 : 8)) {
        case 0...2: return .integer(Int64(number(-1..<4)))
        case 3: return .double(Double(number(-1..<3)) / 2)
        case 4: return .boolean(chance(50))
        case 5: return .string(pick("", "a", "b", "ab"))
        case 6: return .blob(ByteBuffer(bytes: random.bytes(number(0..<3))))
        case 7: return chance(30) ? .null : 1
        case 8: return .list(Value.List((0..<number(0..<3)).map { _ in smallValue(depth: depth - 1) }))
        default:
            return .map(Value.Map([("k", smallValue(depth: depth - 1))], order: pick(.unordered, .keyOrdered)))
        }
    }
}

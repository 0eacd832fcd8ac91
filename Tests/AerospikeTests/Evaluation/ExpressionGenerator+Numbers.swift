import Aerospike

// Integers and doubles.
extension ExpressionGenerator {
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
        if calls, chance(20) {
            return intCall()
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
}

import Glibc

/// What sketches tell about how many values they were given (aerospike-server 8.1, base/particle_hll.c).
///
/// The steps are a server's own, in its order, so that the last bit of every double is its too.
enum SketchEstimate {
    private static let rankMax = 64

    // MARK: One sketch

    /// How many different values a sketch was given.
    ///
    /// It is algorithm 6 of New cardinality estimation algorithms for HyperLogLog sketches (Otmar Ertl, 2017).
    static func count(_ sketch: Sketch) -> UInt64 {
        guard sketch.cachedCount == 0 else { return sketch.cachedCount }
        var counts = [Double](repeating: 0, count: rankMax + 1)
        for index in 0..<sketch.registerCount {
            counts[Int(sketch.rank(index))] += 1
        }
        let registers = Double(sketch.registerCount)
        var sum = registers * tau(counts[rankMax] / registers)
        for rank in stride(from: rankMax, to: 0, by: -1) {
            sum = 0.5 * (sum + counts[rank])
        }
        sum += registers * sigma(counts[0] / registers)
        return rounded(alpha(sketch) * registers * registers / sum)
    }

    private static func tau(_ value: Double) -> Double {
        guard value != 0, value != 1 else { return 0 }
        var value = value
        var factor = 1.0
        var result = 1 - value
        var previous: Double
        repeat {
            value = value.squareRoot()
            previous = result
            factor *= 0.5
            result -= pow(1 - value, 2) * factor
        } while previous != result
        return result / 3
    }

    private static func sigma(_ value: Double) -> Double {
        guard value != 1 else { return .infinity }
        var value = value
        var factor = 1.0
        var result = value
        var previous: Double
        repeat {
            value *= value
            previous = result
            result += value * factor
            factor += factor
        } while previous != result
        return result
    }

    private static func alpha(_ sketch: Sketch) -> Double {
        switch sketch.indexBits {
        case 4: 0.673
        case 5: 0.697
        case 6: 0.709
        default: 0.7213 / (1 + 1.079 / Double(sketch.registerCount))
        }
    }

    /// The nearest integer, halves away from zero.
    private static func rounded(_ estimate: Double) -> UInt64 {
        UInt64(exactly: estimate.rounded(.toNearestOrAwayFromZero)) ?? 0
    }

    // MARK: Several sketches

    /// How many different values some sketches were given.
    static func unionCount(_ sketches: [Sketch]) -> UInt64 {
        count(Sketch(unionOf: sketches))
    }

    /// How many values all of some sketches were given.
    static func intersectCount(_ sketches: [Sketch]) -> UInt64 {
        guard Sketch(compatibleWith: sketches).minHashBits > 0 else { return intersectCountByUnion(sketches) }
        let similarity = similarity(sketches)
        return similarity.isNaN ? 0 : rounded(Double(unionCount(sketches)) * similarity)
    }

    /// How alike some sketches are, from 0 to 1.
    ///
    /// With minimal hashes it is as in HyperMinHash: MinHash in LogLog space (Yun William Yu and Griffin Weber, 2017).
    static func similarity(_ sketches: [Sketch]) -> Double {
        let template = Sketch(compatibleWith: sketches)
        guard template.minHashBits > 0 else {
            return Double(intersectCountByUnion(sketches)) / Double(unionCount(sketches))
        }
        guard sketches.allSatisfy(\.hasData) else { return sketches.contains(where: \.hasData) ? 0 : .nan }
        var common = template
        for (position, sketch) in sketches.enumerated() {
            if position == 0 {
                common.formUnion(sketch)
            } else {
                common.formIntersection(sketch)
            }
        }
        var collisions = 0.0
        if sketches.count == 2 {
            collisions = expectedCollisions(template, Double(count(sketches[0])), Double(count(sketches[1])))
        }
        let unionCount = Double(Sketch(unionOf: sketches).usedRegisterCount)
        let result = (Double(common.usedRegisterCount) - collisions) / unionCount
        return result < 0 ? 0 : result
    }

    /// The estimate for two sketches, or three, from those of unions.
    private static func intersectCountByUnion(_ sketches: [Sketch]) -> UInt64 {
        let union = unionCount(sketches)
        var sum: UInt64 = 0
        for sketch in sketches {
            let (next, overflows) = sum.addingReportingOverflow(count(sketch))
            sum = overflows ? .max : next
            if overflows {
                break
            }
        }
        guard sketches.count > 2 else { return sum > union ? sum - union : 0 }
        let pairs =
            intersectCount([sketches[0], sketches[1]])
            &+ intersectCount([sketches[1], sketches[2]])
            &+ intersectCount([sketches[0], sketches[2]])
        let result = Int64(bitPattern: union) &- (Int64(bitPattern: sum) &- Int64(bitPattern: pairs))
        return result < 0 ? 0 : UInt64(result)
    }

    /// How many registers of two sketches without common values are equal by chance.
    private static func expectedCollisions(_ template: Sketch, _ left: Double, _ right: Double) -> Double {
        let registers = Double(template.registerCount)
        var sum = 0.0
        for rank in 1...rankMax {
            let lower = (rank == rankMax ? 0 : pow(2, Double(-rank))) / registers
            let upper = pow(2, Double(1 - rank)) / registers
            let ofLeft = pow(1 - lower, left) - pow(1 - upper, left)
            let ofRight = pow(1 - lower, right) - pow(1 - upper, right)
            sum += ofLeft * ofRight
        }
        return sum * registers / pow(2, Double(template.minHashBits))
    }
}

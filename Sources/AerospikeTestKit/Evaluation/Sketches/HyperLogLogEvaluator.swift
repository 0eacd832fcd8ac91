package import Aerospike
package import NIOCore

/// Applies one operation on a HyperLogLog sketch, as aerospike-server 8.1 does (base/particle_hll.c).
package enum HyperLogLogEvaluator {
    /// Applies an operation to a bin; see ``CollectionEvaluator/apply(_:to:modifies:)``.
    package static func apply(
        _ packed: ByteBuffer,
        to bin: Value?,
        modifies: Bool
    ) throws(Refusal) -> CollectionEvaluator.Outcome {
        guard modifies else {
            // A server does not look at an operation that reads what is not there.
            guard let bin else { return CollectionEvaluator.Outcome(answer: nil, bin: nil) }
            let sketch = try sketch(bin)
            let call = try SketchCall(packed, modifies: false)
            return CollectionEvaluator.Outcome(answer: try read(call, sketch), bin: bin)
        }
        var old: Sketch?
        if let bin {
            old = try sketch(bin)
        }
        guard let outcome = try modify(try SketchCall(packed, modifies: true), old) else {
            return CollectionEvaluator.Outcome(answer: nil, bin: bin)
        }
        return CollectionEvaluator.Outcome(answer: outcome.answer, bin: .hyperLogLog(outcome.sketch.bytes))
    }

    private static func sketch(_ bin: Value) throws(Refusal) -> Sketch {
        guard case .hyperLogLog(let bytes) = bin else { throw Refusal(.incompatibleType, "the bin holds no sketch") }
        guard let sketch = Sketch(bytes), sketch.isStorable else {
            throw Refusal(.server, "what the bin holds is no sketch")
        }
        return sketch
    }

    // MARK: Reading

    private static func read(_ call: SketchCall, _ sketch: Sketch) throws(Refusal) -> Value? {
        let all = call.sketches + [sketch]
        switch call.code {
        case .count: return integer(SketchEstimate.count(sketch))
        case .union: return .hyperLogLog(Sketch(unionOf: all).bytes)
        case .unionCount: return integer(SketchEstimate.unionCount(all))
        case .intersectCount:
            try checkComparable(call, sketch)
            return integer(SketchEstimate.intersectCount(all))
        case .similarity:
            try checkComparable(call, sketch)
            return .double(SketchEstimate.similarity(all))
        case .describe: return [.integer(Int64(sketch.indexBits)), .integer(Int64(sketch.minHashBits))]
        case .mayContain: return call.values.allSatisfy(sketch.mayContain) ? 1 : 0
        default: return nil
        }
    }

    private static func integer(_ count: UInt64) -> Value {
        .integer(Int64(bitPattern: count))
    }

    private static func checkComparable(_ call: SketchCall, _ sketch: Sketch) throws(Refusal) {
        guard call.sketches.count <= 2 || sketch.minHashBits == call.sketches[0].minHashBits else {
            throw Refusal(.notApplicable, "more than two sketches are compared by the minimal hashes that all have")
        }
    }

    // MARK: Modifying

    /// What a modification answers and makes; nil if it is not to happen.
    private static func modify(
        _ call: SketchCall,
        _ old: Sketch?
    ) throws(Refusal) -> (answer: Value?, sketch: Sketch)? {
        if old != nil, call.flags.contains(.createOnly) {
            return try nothing(call, Refusal(.binExists, "the sketch was only to be created"))
        }
        if old == nil, call.flags.contains(.updateOnly) {
            return try nothing(call, Refusal(.binNotFound, "there is no sketch"))
        }
        switch call.code {
        case .create: return (nil, try create(call, old))
        case .add: return try add(call, old)
        case .formUnion: return (nil, try formUnion(call, old))
        case .refreshCount:
            guard var sketch = old else { throw Refusal(.binNotFound, "there is no sketch") }
            sketch.cachedCount = SketchEstimate.count(sketch)
            return (integer(sketch.cachedCount), sketch)
        case .fold: return (nil, try fold(call, old))
        default: return nil
        }
    }

    private static func nothing(
        _ call: SketchCall,
        _ refusal: Refusal
    ) throws(Refusal) -> (answer: Value?, sketch: Sketch)? {
        guard call.flags.contains(.noFail) else { throw refusal }
        return nil
    }

    private static func create(_ call: SketchCall, _ old: Sketch?) throws(Refusal) -> Sketch {
        guard let indexBits = call.indexBits ?? old?.indexBits else {
            throw Refusal(.notApplicable, "a new sketch needs bits of index")
        }
        let sketch = Sketch(indexBits: indexBits, minHashBits: call.minHashBits ?? old?.minHashBits ?? 0)
        guard sketch.isStorable else { throw Refusal(.notApplicable, "a sketch of too many bits") }
        return sketch
    }

    private static func add(_ call: SketchCall, _ old: Sketch?) throws(Refusal) -> (answer: Value?, sketch: Sketch) {
        var sketch: Sketch
        if let old {
            sketch = old
        } else {
            sketch = try create(call, nil)
        }
        var changeCount = 0
        for value in call.values where sketch.insert(value) {
            changeCount += 1
        }
        return (.integer(Int64(changeCount)), sketch)
    }

    private static func formUnion(_ call: SketchCall, _ old: Sketch?) throws(Refusal) -> Sketch {
        guard let old else { return Sketch(unionOf: call.sketches) }
        let given = Sketch(compatibleWith: call.sketches)
        guard call.flags.contains(.allowFold) || old.indexBits <= given.indexBits else {
            throw Refusal(.notApplicable, "the sketch would have fewer bits of index")
        }
        guard call.flags.contains(.allowFold) || [0, given.minHashBits].contains(old.minHashBits) else {
            throw Refusal(.notApplicable, "the sketch would lose its minimal hashes")
        }
        return Sketch(unionOf: call.sketches + [old])
    }

    private static func fold(_ call: SketchCall, _ old: Sketch?) throws(Refusal) -> Sketch {
        guard let old else { throw Refusal(.binNotFound, "there is no sketch") }
        guard old.minHashBits == 0 else {
            throw Refusal(.notApplicable, "a sketch with minimal hashes cannot be folded")
        }
        guard let indexBits = call.indexBits, indexBits <= old.indexBits else {
            throw Refusal(.notApplicable, "folding cannot add bits of index")
        }
        guard indexBits < old.indexBits else { return old }
        var folded = Sketch(indexBits: indexBits, minHashBits: 0)
        folded.formUnion(old)
        return folded
    }
}

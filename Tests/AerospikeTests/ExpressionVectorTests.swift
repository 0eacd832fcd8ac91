import Aerospike
import NIOCore
import Testing

/// Expressions are packed as the Python client packs them, byte by byte.
@Suite struct ExpressionVectorTests {
    private static let a: Exp<Int> = .int(bin: "a")
    private static let b: Exp<Int> = .int(bin: "b")
    private static let d: Exp<Double> = .double(bin: "d")
    private static let s: Exp<String> = .string(bin: "s")
    private static let l: Exp<Value.List> = .list(bin: "l")
    private static let m: Exp<Value.Map> = .map(bin: "m")
    private static let x: Exp<ByteBuffer> = .blob(bin: "x")
    private static let h: Exp<HyperLogLog> = .hyperLogLog(bin: "h")
    private static let k1 = Exp(Value.Map([("k", 1)], order: .keyOrdered))
    private static let listPolicy = ListWritePolicy(order: .ordered, flags: .addUnique)
    private static let mapPolicy = MapWritePolicy(order: .keyValueOrdered, flags: .createOnly)

    private static let scalars: [String: Exp<Bool>] = [
        "bin.bool": .bool(bin: "t") == true,
        "bin.int": .int(bin: "a") == 5,
        "bin.double": .double(bin: "d") == 5.25,
        "bin.string": .string(bin: "s") == "hello",
        "bin.blob": x == Exp(ByteBuffer(bytes: [1, 2, 255])),
        "bin.list": l == [1, "two", [3.5, nil]],
        "bin.map": m == Exp(Value.Map([("a", 1), ("b", [2])], order: .keyOrdered)),
        "bin.exists": .exists(bin: "a"),
        "bin.type": .type(ofBin: "a") == 20,
        "geo": .geoJSON(bin: "g").intersects(Exp(geoJSON: #"{"type": "Point", "coordinates": [1.0, 2.0]}"#)),
        "hll.bin": h.count() == 4,
        "int.large": a == Exp(1 << 62),
        "int.255": a == 255,
        "int.65536": a == 65536,
        "int.minus1": a == -1,
        "int.minus33": a == -33,
        "int.minus40000": a == -40000,
        "int.min": a == Exp(Int.min),
        "string.long": s == Exp(String(repeating: "x", count: 40)),
        "string.longer": s == Exp(String(repeating: "x", count: 300)),
        "compare.ne": a != b,
        "compare.gt": a > b,
        "compare.ge": a >= b,
        "compare.lt": a < b,
        "compare.le": a <= b,
        "logic.and": a > 1 && a < 9,
        "logic.or": a > 1 || a < 9,
        "logic.not": !(a > 1),
        "logic.exclusive": .exactlyOne(a > 1, a < 9, b == 2),
        "logic.all3": .all(a > 1, a < 9, b == 2),
    ]

    private static let numbers: [String: Exp<Bool>] = [
        "math.add": a + b == 7,
        "math.sub": a - b == 7,
        "math.neg": -a == 7,
        "math.mul": a * 3 == 9,
        "math.div": d / 2 == 1.5,
        "math.pow": d.power(2) == 9,
        "math.log": d.logarithm(base: 10) == 1,
        "math.mod": a % 3 == 1,
        "math.abs": a.magnitude == 3,
        "math.floor": d.floor == 2,
        "math.ceil": d.ceiling == 2,
        "math.toint": d.asInt == 2,
        "math.tofloat": a.asDouble == 2,
        "math.min": .min(a, b, 3) == 1,
        "math.max": .max(a, b, 3) == 1,
        "bits.and": a & 15 == 1,
        "bits.or": a | 15 == 1,
        "bits.xor": a ^ 15 == 1,
        "bits.not": ~a == 1,
        "bits.lshift": a << 2 == 4,
        "bits.rshift": a.shiftedRightLogically(by: 2) == 4,
        "bits.arshift": a >> 2 == 4,
        "bits.count": a.nonzeroBitCount == 4,
        "bits.lscan": a.firstIndex(of: true) == 4,
        "bits.rscan": a.lastIndex(of: false) == 4,
    ]

    private static let records: [String: Exp<Bool>] = [
        "meta.lastUpdate": .lastUpdate > 1000,
        "meta.sinceUpdate": .sinceUpdate > 1000,
        "meta.voidTime": .voidTime > 1000,
        "meta.ttl": .timeToLive > 1000,
        "meta.setName": .setName == "s",
        "meta.keyExists": .userKeyExists,
        "meta.tombstone": .isTombstone,
        "meta.deviceSize": .deviceSize > 1,
        "meta.memorySize": .memorySize > 1,
        "meta.recordSize": .recordSize > 1,
        "meta.digestModulo": .digestModulo(3) == 1,
        "key.int": Exp<Int>.userKey == 1,
        "key.string": Exp<String>.userKey == "k",
        "key.blob": Exp<ByteBuffer>.userKey == Exp(ByteBuffer(bytes: [0x6b])),
        "regex": s.matches("^a.*z$", options: [.extended, .ignoreCase]),
        "cond": Exp<Int>.cond((when: a < 1, then: 10), (when: a > 5, then: 20), otherwise: 30) == 20,
        "cond.unknown": Exp<Int>.cond((when: a < 1, then: 10), otherwise: .unknown) == 10,
        "let": .let("x", a + b) { x in x > 1 && x < 9 },
        "let.two": .let(
            [.define("x", a), .define("y", Exp<Int>.variable("x") + 1)],
            in: Exp<Int>.variable("y") > .variable("x")
        ),
    ]

    private static let listReads: [String: Exp<Bool>] = [
        "list.size": .list(bin: "l").size() == 3,
        "list.getByIndex": l.get(.index(0), .value(Int.self)) == 3,
        "list.getByIndex.rank": l.get(.index(a), .rank) == 3,
        "list.getByIndexRange": l.get(.indexes(from: 1, count: 2), .count) == 2,
        "list.getByIndexRangeToEnd": l.get(.indexes(from: 1), .value) == [1],
        "list.getByRank": l.get(.rank(-1), .value(String.self)) == "z",
        "list.getByRankRange": l.get(.ranks(from: 0, count: 2), .index) == [0],
        "list.getByRankRangeToEnd": l.get(.ranks(from: -2), .value) == [0],
        "list.getByValue": l.get(.value(7), .exists),
        "list.getByValue.inverted": l.get(.value(7), .count.inverted) == 2,
        "list.getByValueList": l.get(.values(in: [1, 2]), .count) == 2,
        "list.getByValueRange": l.get(.values(from: 1, upTo: 9), .count) == 2,
        "list.getByValueRange.infinity": l.get(.values(from: 1, upTo: Value.infinity), .count) == 2,
        "list.getByRelRankToEnd": l.get(.values(near: 5, rank: -1), .count) == 2,
        "list.getByRelRank": l.get(.values(near: 5, rank: -1, count: 2), .count) == 2,
        "list.nested": l.list(at: [.listIndex(-1)]).size() == 3,
        "list.nestedInMap": m.list(at: [.mapKey("k"), .listRank(1), .mapValue(3)])
            .get(.index(0), .value(Int.self)) == 3,
    ]

    private static let listWrites: [String: Exp<Bool>] = [
        "list.append": l.appending(5) == [1],
        "list.append.policy": l.appending(a, policy: listPolicy) == [1],
        "list.appendItems": l.appending(contentsOf: [5, 6]) == [1],
        "list.insert": l.inserting("x", at: 0) == [1],
        "list.insert.policy": l.inserting("x", at: 0, policy: listPolicy) == [1],
        "list.insertItems": l.inserting(contentsOf: ["x"], at: 0) == [1],
        "list.increment": l.incrementing(0, by: 2) == [1],
        "list.set": l.setting(0, to: 2) == [1],
        "list.clear": l.cleared() == [1],
        "list.sort": l.sorted(.dropDuplicates) == [1],
        "list.removeByIndex": l.removing(.index(1)) == [1],
        "list.removeByIndexRange": l.removing(.indexes(from: 1, count: 2)) == [1],
        "list.removeByIndexRangeToEnd": l.removing(.indexes(from: 1)) == [1],
        "list.removeByRank": l.removing(.rank(1)) == [1],
        "list.removeByRankRange": l.removing(.ranks(from: 1, count: 2)) == [1],
        "list.removeByRankRangeToEnd": l.removing(.ranks(from: 1)) == [1],
        "list.removeByValue": l.removing(.value(1)) == [1],
        "list.removeByValue.inverted": l.keeping(.value(1)) == [1],
        "list.removeByValueList": l.removing(.values(in: [1])) == [1],
        "list.removeByValueRange": l.removing(.values(from: 1, upTo: 5)) == [1],
        "list.removeByRelRank": l.removing(.values(near: 1, rank: 0, count: 3)) == [1],
        "list.removeByRelRankToEnd": l.removing(.values(near: 1, rank: 0)) == [1],
        "list.nestedAppend": m.list(at: [.mapKey("k")]).appending(5) == k1,
    ]

    private static let mapReads: [String: Exp<Bool>] = [
        "map.size": m.size() == 3,
        "map.getByKey": m.get(.key("k"), .value(Int.self)) == 3,
        "map.getByKey.list": m.get(.key(7), .value(Value.List.self)) == [3],
        "map.getByKeyRange": m.get(.keys(from: "a", upTo: "f"), .count) == 3,
        "map.getByKeyList": m.get(.keys(in: ["a", "f"]), .count) == 3,
        "map.getByKeyRelToEnd": m.get(.keys(near: "a", index: 1), .count) == 3,
        "map.getByKeyRel": m.get(.keys(near: "a", index: 1, count: 2), .count) == 3,
        "map.getByValue": m.get(.value(3), .exists),
        "map.getByValueRange": m.get(.values(from: 3, upTo: 5), .key) == ["a"],
        "map.getByValueList": m.get(.values(in: [3, 5]), .key) == ["a"],
        "map.getByValueRelToEnd": m.get(.values(near: 3, rank: 5), .count) == 1,
        "map.getByValueRel": m.get(.values(near: 3, rank: 5, count: 1), .count) == 1,
        "map.getByIndex": m.get(.index(0), .key(String.self)) == "a",
        "map.getByIndexRange": m.get(.indexes(from: 0, count: 2), .count) == 1,
        "map.getByIndexRangeToEnd": m.get(.indexes(from: 0), .count) == 1,
        "map.getByRank": m.get(.rank(0), .index) == 1,
        "map.getByRankRange": m.get(.ranks(from: 0, count: 2), .count) == 1,
        "map.getByRankRangeToEnd": m.get(.ranks(from: 0), .count) == 1,
        "map.getByRank.nested": m.map(at: [.mapIndex(0), .mapRank(-1)]).get(.rank(0), .value(Int.self)) == 1,
    ]

    private static let mapWrites: [String: Exp<Bool>] = [
        "map.put": m.putting("k", 5) == k1,
        "map.put.policy": m.putting(a, b, policy: mapPolicy) == k1,
        "map.putItems": m.putting(contentsOf: Exp(Value.Map([("z", 1)], order: .keyOrdered))) == k1,
        "map.increment": m.incrementing("k", by: 5) == k1,
        "map.clear": m.cleared() == k1,
        "map.removeByKey": m.removing(.key("k")).size() == 1,
        "map.removeByKeyList": m.removing(.keys(in: ["k"])).size() == 1,
        "map.removeByKeyRange": m.removing(.keys(from: "k", upTo: "q")).size() == 1,
        "map.removeByKeyRelToEnd": m.removing(.keys(near: "k", index: 1)).size() == 1,
        "map.removeByKeyRel": m.removing(.keys(near: "k", index: 1, count: 2)).size() == 1,
        "map.removeByValue": m.removing(.value(1)).size() == 1,
        "map.removeByValue.inverted": m.keeping(.value(1)).size() == 1,
        "map.removeByValueList": m.removing(.values(in: [1])).size() == 1,
        "map.removeByValueRange": m.removing(.values(from: 1, upTo: 4)).size() == 1,
        "map.removeByValueRelToEnd": m.removing(.values(near: 1, rank: 4)).size() == 1,
        "map.removeByValueRel": m.removing(.values(near: 1, rank: 4, count: 1)).size() == 1,
        "map.removeByIndex": m.removing(.index(1)).size() == 1,
        "map.removeByIndexRange": m.removing(.indexes(from: 1, count: 2)).size() == 1,
        "map.removeByIndexRangeToEnd": m.removing(.indexes(from: 1)).size() == 1,
        "map.removeByRank": m.removing(.rank(1)).size() == 1,
        "map.removeByRankRange": m.removing(.ranks(from: 1, count: 2)).size() == 1,
        "map.removeByRankRangeToEnd": m.removing(.ranks(from: 1)).size() == 1,
    ]

    private static let pops: [String: Exp<Bool>] = [
        "pop": ExpressionVectorTests.pop(from: m).size() == 1
    ]

    /// The best entry of a map of lists, leased: its first element 1, its second the end of the lease by the server's clock.
    static func pop(from jobs: Exp<Value.Map>) -> Exp<Value.Map> {
        let now: Exp<Int> = .lastUpdate / 1_000_000 + .sinceUpdate
        return .let("best", jobs.get(.rank(0), .value(Value.List.self))) { best in
            let leaseEnd = now + best.get(.index(3), .value(Int.self)) * 1000
            return jobs.putting(
                jobs.get(.rank(0), .key(Int.self)),
                best.setting(1, to: leaseEnd).setting(0, to: 1),
                policy: MapWritePolicy(order: .keyValueOrdered, persistsIndex: true)
            )
        }
    }

    private static let blobsAndSketches: [String: Exp<Bool>] = [
        "blob.get": x.bits(at: 0, count: 8) == Exp(ByteBuffer(bytes: [1])),
        "blob.count": x.nonzeroBitCount(at: 0, count: 8) == 1,
        "blob.lscan": x.firstIndex(of: true, at: 0, count: 8) == 1,
        "blob.rscan": x.lastIndex(of: false, at: 0, count: 8) == 1,
        "blob.getInt": x.integer(at: 0, count: 8, signed: true) == 1,
        "hll.init": h.created(indexBits: 8, minHashBits: 10).count() == 0,
        "hll.init.flags": h.created(indexBits: nil, flags: .updateOnly).count() == 0,
        "hll.union": h.union(l).count() == 3,
        "hll.unionCount": h.unionCount(l) == 3,
        "hll.intersectCount": h.intersectCount(l) == 3,
        "hll.similarity": h.similarity(l) == 0.5,
        "hll.describe": h.describe() == [4, 0],
        "hll.add": h.adding(["a", "b"], indexBits: 8, minHashBits: 0).count() == 2,
        "hll.mayContain": h.mayContain(["a"]) == 1,
    ]

    private static let five = ByteBuffer(bytes: [5])

    private static let blobsModified: [String: Exp<ByteBuffer>] = [
        "blob.resize": x.resized(to: 4),
        "blob.resize.front": x.resized(to: a, .fromFront, flags: .noFail),
        "blob.insert": x.inserting(ByteBuffer(bytes: [5, 6]), atByte: 1),
        "blob.insert.expression": x.inserting(x, atByte: a, flags: .createOnly),
        "blob.remove": x.removing(fromByte: 1, byteCount: 2),
        "blob.set": x.settingBits(five, at: 4, count: 8),
        "blob.or": x.formingOr(five, at: 4, count: 8),
        "blob.xor": x.formingXor(five, at: 4, count: 8),
        "blob.and": x.formingAnd(five, at: -4, count: a, flags: .partial),
        "blob.not": x.inverting(at: 4, count: 8),
        "blob.lshift": x.shiftingLeft(at: 4, count: 8, by: 3),
        "blob.rshift": x.shiftingRight(at: 4, count: 8, by: a),
        "blob.add": x.adding(3, at: 4, count: 8),
        "blob.add.wrap": x.adding(a, at: 4, count: 8, overflow: .wrap, flags: .updateOnly),
        "blob.subtract": x.subtracting(300, at: 4, count: 8, overflow: .saturate),
        "blob.setInt": x.settingInteger(7, at: 4, count: 8),
    ]

    private static let ours = [
        scalars, numbers, records, listReads, listWrites, mapReads, mapWrites, pops, blobsAndSketches,
        blobsModified.mapValues { $0 == Exp(ByteBuffer(bytes: [1])) },
    ].reduce(into: [:]) { all, some in all.merge(some) { first, _ in first } }

    @Test func everyVectorHasItsExpression() {
        let theirs = GoldenVectors.named(PackageResources.expressions_txt)
        #expect(theirs.count > 150)
        #expect(Set(theirs.keys) == Set(Self.ours.keys))
    }

    @Test(arguments: GoldenVectors.named(PackageResources.expressions_txt).sorted { $0.key < $1.key })
    func isPackedAlike(_ vector: (key: String, value: String)) throws {
        let expression = try #require(Self.ours[vector.key])
        #expect(expression.packed.hex == vector.value, "\(vector.key)")
    }
}

import Aerospike
import NIOCore
import Testing

/// Operations are written as the Python client writes them, byte by byte.
@Suite struct OperationVectorTests {
    private static let path: [CollectionContext] = [.listIndex(-1), .mapKey("k")]
    private static let listPolicy = ListWritePolicy(order: .ordered, flags: [.addUnique, .noFail])
    private static let ordered = MapWritePolicy(order: .keyValueOrdered, persistsIndex: true)
    private static let flagged = MapWritePolicy(order: .keyOrdered, flags: [.createOnly, .noFail])
    private static let l = Operation.list("l")
    private static let m = Operation.map("m")
    private static let x = Operation.bits("x")
    private static let h = Operation.hyperLogLog("h")
    private static let twoBytes = ByteBuffer(bytes: [1, 2])
    private static let sum: Exp<Int> = .int(bin: "a") + 1

    private static let scalars: [String: Operation] = [
        "read": .get("b"),
        "write.int": .put("b", -7),
        "write.double": .put("b", 2.5),
        "write.bool": .put("b", true),
        "write.string": .put("b", "hé"),
        "write.blob": .put("b", .bytes([0, 255])),
        "write.list": .put("b", [1, "a", .bytes([1]), 2.5, true, nil, [2]]),
        "write.map": .put("b", ["k": [1]]),
        "write.orderedMap": .put("b", .map(Value.Map([("a", 1), ("b", ["c": 300])], order: .keyOrdered))),
        "write.geo": .put("b", .geoJSON(#"{"type": "Point", "coordinates": [1.0, 2.0]}"#)),
        "write.null": .put("b", nil),
        "add.int": .add("b", 3),
        "add.double": .add("b", 3.5),
        "append": .append("b", "x"),
        "prepend": .prepend("b", "x"),
        "touch": .touch,
        "delete": .delete,
        "exp.read": .read(sum, as: "r"),
        "exp.read.flags": .read(sum, as: "r", flags: .evaluationNoFail),
        "exp.write": .write(sum, to: "w", flags: .updateOnly),
    ]

    private static let listWrites: [String: Operation] = [
        "list.create": l.create(order: .ordered, persistsIndex: true),
        "list.create.nested": Operation.list("l", at: path).create(order: .unordered, pads: true),
        "list.setOrder": l.setOrder(.ordered),
        "list.sort": l.sort(.dropDuplicates),
        "list.clear": l.clear(),
        "list.append": l.append("v"),
        "list.append.policy": l.append("v", policy: listPolicy),
        "list.appendItems": Operation.list("l", at: path).append(contentsOf: [1, 2], policy: listPolicy),
        "list.insert": l.insert("v", at: 2),
        "list.insert.policy": l.insert("v", at: 2, policy: listPolicy),
        "list.insertItems": l.insert(contentsOf: ["v"], at: 2),
        "list.increment": l.increment(2, by: 5),
        "list.increment.policy": l.increment(2, by: 5, policy: listPolicy),
        "list.set": l.set(-1, to: "v"),
        "list.pop": l.pop(1),
        "list.popRange": l.pop(from: 1, count: 3),
        "list.remove": l.remove(at: 1),
        "list.removeRange": l.remove(from: 1, count: 3),
        "list.trim": l.trim(from: 1, count: 3),
        "list.removeByIndex": l.remove(.index(1)),
        "list.removeByIndexRange": l.remove(.indexes(from: 1, count: 3), returning: .value),
        "list.removeByIndexRangeToEnd": l.remove(.indexes(from: 1)),
        "list.removeByRank": l.remove(.rank(-1)),
        "list.removeByRankRange": l.remove(.ranks(from: 1, count: 3)),
        "list.removeByRankRangeToEnd": l.remove(.ranks(from: 1)),
        "list.removeByValue": l.remove(.value("v"), returning: .none.inverted),
        "list.removeByValueList": l.remove(.values(in: ["v", 1])),
        "list.removeByValueRange": l.remove(.values(from: 1, upTo: 9)),
        "list.removeByRelRank": l.remove(.values(near: 5, rank: -1, count: 2)),
        "list.removeByRelRankToEnd": l.remove(.values(near: 5, rank: -1)),
    ]

    private static let listReads: [String: Operation] = [
        "list.size": l.size(),
        "list.size.nested": Operation.list("l", at: path).size(),
        "list.get": l.get(1),
        "list.getRange": l.get(from: 1, count: 3),
        "list.getByIndex": l.get(.index(1)),
        "list.getByIndexRange": l.get(.indexes(from: 1, count: 3)),
        "list.getByIndexRangeToEnd": l.get(.indexes(from: 1), returning: .count.inverted),
        "list.getByRank": l.get(.rank(-1)),
        "list.getByRankRange": l.get(.ranks(from: 1, count: 3)),
        "list.getByRankRangeToEnd": l.get(.ranks(from: 1)),
        "list.getByValue": l.get(.value("v"), returning: .exists),
        "list.getByValueList": l.get(.values(in: ["v", 1]), returning: .rank),
        "list.getByValueRange": l.get(.values(from: 1, upTo: 9)),
        "list.getByValueRange.infinity": l.get(.values(from: [1, .wildcard], upTo: .infinity)),
        "list.getByRelRank": l.get(.values(near: 5, rank: -1, count: 2)),
        "list.getByRelRankToEnd": l.get(.values(near: 5, rank: -1)),
    ]

    private static let mapWrites: [String: Operation] = [
        "map.create": m.create(order: .keyValueOrdered, persistsIndex: true),
        "map.create.nested": Operation.map("m", at: path).create(order: .keyOrdered),
        "map.setPolicy": m.setOrder(.keyValueOrdered, persistsIndex: true),
        "map.clear": m.clear(),
        "map.put": m.put("k", 1),
        "map.put.order": m.put("k", 1, policy: ordered),
        "map.put.flags": Operation.map("m", at: path).put("k", 1, policy: flagged),
        "map.putItems": m.put(contentsOf: ["k": 1]),
        "map.putItems.order": m.put(
            contentsOf: Value.Map([("a", 1), ("b", 2)], order: .keyOrdered),
            policy: ordered
        ),
        "map.putItems.flags": m.put(contentsOf: ["k": 1], policy: flagged),
        "map.increment": m.increment("k", by: 2),
        "map.decrement": m.decrement("k", by: 2, policy: ordered),
        "map.removeByKey": m.remove(.key("k")),
        "map.removeByKeyList": m.remove(.keys(in: ["k"]), returning: .count),
        "map.removeByKeyRange": m.remove(.keys(from: "a", upTo: "k")),
        "map.removeByKeyRel": m.remove(.keys(near: "k", index: 1, count: 2)),
        "map.removeByKeyRelToEnd": m.remove(.keys(near: "k", index: 1)),
        "map.removeByIndex": m.remove(.index(0), returning: .value),
        "map.removeByIndexRange": m.remove(.indexes(from: 0, count: 2)),
        "map.removeByRank": m.remove(.rank(0), returning: .value),
        "map.removeByRankRange": m.remove(.ranks(from: 0, count: 2), returning: .keyValue),
        "map.removeByValue": m.remove(.value(1), returning: .none.inverted),
        "map.removeByValueList": m.remove(.values(in: [1, 2])),
        "map.removeByValueRange": m.remove(.values(from: 1, upTo: 5)),
        "map.removeByValueRel": m.remove(.values(near: 5, rank: -1, count: 2)),
        "map.removeByValueRelToEnd": m.remove(.values(near: 5, rank: -1)),
    ]

    private static let mapReads: [String: Operation] = [
        "map.size": m.size(),
        "map.getByKey": m.get(.key("k")),
        "map.getByKeyList": m.get(.keys(in: ["k", 2]), returning: .keyValue),
        "map.getByKeyRange": m.get(.keys(from: "a", upTo: "k"), returning: .orderedMap),
        "map.getByKeyRel": m.get(.keys(near: "k", index: 1, count: 2)),
        "map.getByKeyRelToEnd": m.get(.keys(near: "k", index: 1)),
        "map.getByIndex": m.get(.index(-1), returning: .key),
        "map.getByIndexRange": m.get(.indexes(from: 0, count: 3), returning: .value.inverted),
        "map.getByRank": m.get(.rank(0), returning: .reverseRank),
        "map.getByRankRange": m.get(.ranks(from: 0, count: 3)),
        "map.getByValue": m.get(.value(1), returning: .exists),
        "map.getByValueList": m.get(.values(in: [1, 2]), returning: .unorderedMap),
        "map.getByValueRange": m.get(.values(from: 1, upTo: 5)),
        "map.getByValueRel": m.get(.values(near: 5, rank: -1, count: 2)),
        "map.getByValueRelToEnd": m.get(.values(near: 5, rank: -1)),
    ]

    private static let bitsAndSketches: [String: Operation] = [
        "bits.resize": x.resize(to: 10, .fromFront),
        "bits.insert": x.insert(twoBytes, atByte: 1),
        "bits.remove": x.remove(fromByte: 1, byteCount: 2),
        "bits.set": x.set(twoBytes, at: 3, count: 16, flags: .noFail),
        "bits.or": x.or(twoBytes, at: 3, count: 16),
        "bits.xor": x.xor(twoBytes, at: 3, count: 16),
        "bits.and": x.and(twoBytes, at: 3, count: 16),
        "bits.not": x.not(at: 3, count: 16),
        "bits.lshift": x.shiftLeft(at: 3, count: 16, by: 2),
        "bits.rshift": x.shiftRight(at: 3, count: 16, by: 2),
        "bits.add": x.add(200, at: 3, count: 16, overflow: .wrap),
        "bits.subtract": x.subtract(200, at: 3, count: 16, signed: true, overflow: .saturate),
        "bits.setInt": x.setInteger(200, at: 3, count: 16),
        "bits.get": x.get(at: 3, count: 16),
        "bits.count": x.countOnes(at: 3, count: 16),
        "bits.lscan": x.firstIndex(of: true, at: 3, count: 16),
        "bits.rscan": x.lastIndex(of: false, at: 3, count: 16),
        "bits.getInt": x.getInteger(at: 3, count: 16),
        "bits.getInt.signed": x.getInteger(at: 3, count: 16, signed: true),
        "hll.init": h.create(indexBits: 8, minHashBits: 20),
        "hll.add": h.add(["a", "b"], indexBits: 8),
        "hll.refresh": h.refreshCount(),
        "hll.fold": h.fold(indexBits: 6),
        "hll.count": h.count(),
        "hll.describe": h.describe(),
    ]

    private static let ours = [scalars, listWrites, listReads, mapWrites, mapReads, bitsAndSketches]
        .reduce(into: [:]) { all, some in all.merge(some) { first, _ in first } }

    private static let theirs = GoldenVectors.named(PackageResources.operations_txt)
        .filter { $0.key.hasPrefix("op.") }

    @Test func everyVectorHasItsOperation() {
        #expect(Self.theirs.count > 125)
        #expect(Set(Self.theirs.keys) == Set(Self.ours.keys.map { "op." + $0 }))
    }

    @Test(arguments: theirs.sorted { $0.key < $1.key })
    func isWrittenAlike(_ vector: (key: String, value: String)) throws {
        let operation = try #require(Self.ours[String(vector.key.dropFirst(3))])
        var buffer = ByteBuffer()
        try buffer.writeOperation(operation)
        #expect(buffer.hex == vector.value, "\(vector.key)")
    }
}

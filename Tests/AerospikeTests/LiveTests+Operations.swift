import Aerospike
import AerospikeTestSupport
import NIOCore
import Testing

/// Operations inside a record.
extension LiveTests {
    @Test func listOperationsDoWhatTheySay() throws {
        let key = try fresh("lists")
        let list = Operation.list("l")
        let record = try server.operate(
            key,
            [
                list.create(order: .unordered, persistsIndex: true),
                list.append(contentsOf: [5, 1, 4, 1]),
                list.append(9, policy: ListWritePolicy(flags: [.addUnique, .noFail])),
                list.insert(0, at: 1),
                list.set(0, to: 6),
                list.increment(2, by: 10),
                list.get(from: 0),
                list.get(.rank(-1)),
                list.get(.value(1), returning: .count),
                list.get(.values(from: 4, upTo: nil)),
                list.get(.values(near: 5, rank: 0, count: 1)),
                list.get(.indexes(from: -2), returning: .value),
                list.pop(0),
                list.remove(.value(1), returning: .index),
                list.sort(.descending),
                list.get(from: 0, count: 10),
                list.trim(from: 0, count: 2),
                list.size(),
                list.clear(),
                list.size(),
            ]
        )
        let expected: [Value] = [
            nil, 4, 5, 6, nil, 11, [6, 0, 11, 4, 1, 9], 11, 1, [6, 4, 11, 9], [6], [1, 9], 6, [3], nil,
            [11, 9, 4, 0], 2, 2, nil, 0,
        ]
        for (index, value) in expected.enumerated() {
            if case .list(let list) = value, [9].contains(index) {
                // The elements of a range of values come in no order that is promised.
                #expect(Set(record.values[index].list ?? []) == Set(list))
            } else {
                #expect(record.values[index] == value, "operation \(index)")
            }
        }
    }

    @Test func mapOperationsDoWhatTheySay() throws {
        let key = try fresh("maps")
        let map = Operation.map("m")
        let record = try server.operate(
            key,
            [
                map.create(order: .keyValueOrdered, persistsIndex: true),
                map.put("b", 2),
                map.put(contentsOf: ["a": 3, "c": 1]),
                map.put("a", 9, policy: MapWritePolicy(flags: [.createOnly, .noFail])),
                map.increment("c", by: 10),
                map.decrement("b", by: 1),
                map.get(.indexes(from: 0), returning: .keyValue),
                map.get(.rank(0), returning: .key),
                map.get(.rank(-1), returning: .value),
                map.get(.keys(from: "b", upTo: nil), returning: .orderedMap),
                map.get(.keys(in: ["a", "z"]), returning: .count),
                map.get(.keys(near: "b", index: 1), returning: .key),
                map.get(.value(3), returning: .exists),
                map.get(.key("zz"), returning: .index),
                map.remove(.key("a"), returning: .value),
                map.remove(.values(from: 10, upTo: 12), returning: .key),
                map.size(),
            ]
        )
        #expect(
            record.values == [
                nil, 1, 3, 3, 11, 1, ["a": 3, "b": 1, "c": 11], "b", 11, ["b": 1, "c": 11], 1, ["c"], true, -1, 3,
                ["c"], 1,
            ]
        )
        let whole = try server.call(.get(key, bins: nil, policy: ReadPolicy()))
        #expect(whole["m"] == ["b": 1])
        #expect(whole["m"]?.map?.order == .keyValueOrdered)
    }

    @Test func operationsReachIntoWhatIsNested() throws {
        let key = try fresh("nested")
        let record = try server.operate(
            key,
            [
                .map("m", at: [.mapKey("inner", creating: .keyOrdered)]).put("k", 1),
                .list("m", at: [.mapKey("list")]).create(order: .ordered),
                .list("m", at: [.mapKey("list")]).append(contentsOf: [3, 1, 2]),
                .list("m", at: [.mapKey("list")]).get(.rank(0)),
                .map("m", at: [.mapKey("inner")]).get(.key("k")),
                .list("m", at: [.mapKey("list")]).get(from: 0),
                .get("m"),
            ]
        )
        #expect(
            record.values == [1, nil, 3, 1, 1, [1, 2, 3], ["inner": ["k": 1], "list": [1, 2, 3]]]
        )
    }

    @Test func bitsAreOperatedOn() throws {
        let key = try fresh("bits")
        let bits = Operation.bits("x")
        let record = try server.operate(
            key,
            [
                bits.resize(to: 2), bits.setInteger(5, at: 4, count: 8), bits.getInteger(at: 4, count: 8),
                bits.not(at: 0, count: 4),
                bits.countOnes(at: 0, count: 16), bits.firstIndex(of: true, at: 4, count: 12),
                bits.add(-2, at: 4, count: 8, signed: true),
                bits.getInteger(at: 4, count: 8, signed: true), bits.insert(ByteBuffer(bytes: [0xaa]), atByte: 0),
                bits.get(at: 0, count: 24),
            ]
        )
        #expect(record.values == [nil, nil, 5, nil, 6, 5, nil, 3, nil, .bytes([0xaa, 0xf0, 0x30])])
    }

    @Test func expressionsAreReadWrittenAndFilter() throws {
        let key = try fresh("expressions")
        let state: Exp<Int> = .int(bin: "state")
        let jobs: Exp<Value.Map> = .map(bin: "jobs")
        _ = try server.call(
            .put(
                key,
                bins: [("state", 2), ("jobs", ["a": [1, 10], "b": [0, 20]]), ("d", 2.5)],
                policy: WritePolicy()
            )
        )
        let best: Exp<Value.List> = jobs.get(.rank(0), .value(Value.List.self))
        let clock: Exp<Int> = .lastUpdate / 1_000_000 + .sinceUpdate
        let record = try server.operate(
            key,
            [
                .read(state * 10 + 1, as: "r"),
                .read(best.get(.index(1), .value(Int.self)), as: "r"),
                .read(Exp<Int>.cond((when: state > 5, then: 1), (when: state == 2, then: 22), otherwise: 3), as: "r"),
                .read(Exp<Int>.let("x", state + 1) { x in x * x }, as: "r"),
                .read(clock > 1_700_000_000_000, as: "r"),
                .write(jobs.removing(.rank(0)), to: "jobs"),
                .write(.double(bin: "d") + 0.5, to: "d"),
                .read(jobs.get(.keys(in: ["a", "b"]), .key), as: "r"),
                .get("d"),
                .read(Exp<Int>.int(bin: "none"), as: "r", flags: .evaluationNoFail),
                .write(Exp<Int>.null, to: "state", flags: .allowDelete),
                .get("state"),
                .read(.list(bin: "l").size() == 3, as: "r", flags: .evaluationNoFail),
            ]
        )
        #expect(
            record.values == [21, 20, 22, 9, true, nil, nil, ["a"], 3.0, nil, nil, nil, nil]
        )
        var policy = WritePolicy()
        policy.filter = .double(bin: "d") > 3
        policy.exists = .updateOnly
        #expect(try code { try server.operate(key, [.put("d", 1.5)], policy: policy) } == .filteredOut)
        policy.filter = .double(bin: "d") >= 3 && .map(bin: "jobs").size() == 1
        _ = try server.operate(key, [.put("d", 1.5)], policy: policy)
        var read = ReadPolicy()
        read.filter = .double(bin: "d") == 3
        #expect(try code { try server.call(.get(key, bins: nil, policy: read)) } == .filteredOut)
    }

    /// Many clients can take the best entry of one map in one call each, and no two get the same.
    @Test func theBestEntryIsTakenInOneCall() throws {
        let key = try fresh("pop")
        let jobs: Exp<Value.Map> = .map(bin: "jobs")
        let count = 40
        // From slot to state, priority or end of lease, sequence, seconds of lease, body.
        let entries = (0..<count).map { slot in
            (Value.integer(Int64(slot)), [0, 1024, .integer(Int64(count - slot)), 60, .bytes([1, 2])] as Value)
        }
        let policy = MapWritePolicy(order: .keyValueOrdered, persistsIndex: true)
        _ = try server.operate(key, [.map("jobs").put(contentsOf: Value.Map(entries), policy: policy)])
        let take: [Operation] = [
            .map("jobs").get(.rank(0), returning: .keyValue),
            .write(ExpressionVectorTests.pop(from: jobs), to: "jobs"),
        ]
        var ifAny = WritePolicy()
        ifAny.exists = .updateOnly
        ifAny.filter = jobs.get(.rank(0), .value(Value.List.self)).get(.index(0), .value(Int.self)) == 0
        var taken: [Int64] = []
        while true {
            do {
                let record = try server.operate(key, take, policy: ifAny)
                taken.append(try #require(record.values[0].map?.first?.key.integer))
            } catch let error as AerospikeError where error.code == .filteredOut {
                break
            }
        }
        #expect(taken == (0..<Int64(count)).reversed())
        let record = try server.call(.get(key, bins: nil, policy: ReadPolicy()))
        let leases = try #require(record["jobs"]?.map).map { $0.value.list?[1].integer ?? 0 }
        // Milliseconds of Unix time, after 2023.
        #expect(leases.count == count && leases.allSatisfy { $0 > 1_700_000_000_000 })
    }
}

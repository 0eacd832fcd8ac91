import Aerospike
import AerospikeTestKit
import AerospikeTestSupport
import Foundation
import NIOCore
import Testing

/// Queries by secondary indexes find the same records on a real server and in the engine.
@Suite(
    .enabled(if: RealServer.isNamed, "AEROSPIKE_HOST names no server to compare with"),
    .serialized,
    .onThreads
)
struct IndexDifferentialTests {
    private static let setName = "engine-indexes"
    private static let recordCount: Int64 = 60

    /// An index, as the info protocol makes it and as the engine has it.
    private struct Pair {
        var index: SecondaryIndex
        var info: String

        init(_ name: String, _ bin: String, _ type: SecondaryIndex.ValueType, _ collection: IndexedCollection = .none) {
            let setName = IndexDifferentialTests.setName
            index = SecondaryIndex(name: name, set: setName, bin: bin, type: type, collection: collection)
            let kind =
                switch collection {
                case .none: "default"
                case .listElements: "list"
                case .mapKeys: "mapkeys"
                case .mapValues: "mapvalues"
                }
            info = "namespace=test;set=\(setName);indexname=\(name);indextype=\(kind);bin=\(bin);type=\(type.name)"
        }
    }

    private let pairs = [
        Pair("engine-n", "n", .integer), Pair("engine-s", "s", .string), Pair("engine-y", "y", .blob),
        Pair("engine-l", "l", .integer, .listElements), Pair("engine-ls", "l", .string, .listElements),
        Pair("engine-mk", "m", .string, .mapKeys), Pair("engine-mv", "m", .integer, .mapValues),
    ]

    private func key(_ number: Int64) -> Key {
        Key(namespace: "test", set: IndexDifferentialTests.setName, .integer(number))
    }

    @Test func rangesFindTheSame() throws {
        let server = try RealServer.connect()
        var test = TestStore()
        var numbers = SeededNumbers(seed: 7)
        try prepare(server, &test, &numbers)
        defer {
            for pair in pairs {
                _ = try? server.info("sindex-delete:namespace=test;indexname=\(pair.index.name)")
            }
        }
        for step in 0..<300 {
            let pair = try #require(pairs.randomElement(using: &numbers))
            let query = self.query(pair.index, &numbers)
            var bytes = ByteBuffer()
            try query.write(into: &bytes, timeoutMilliseconds: 1000)
            let real = try server.messages(bytes, .manyOrRefusal)
            let ours = try test.messages(bytes)
            #expect(real.last?.resultCode == ours.last?.resultCode, "step \(step)")
            let found = (try hits(real, query), try hits(ours, query))
            #expect(found.0 == found.1, "step \(step): \(String(describing: query.range))")
        }
    }

    /// The records of a reply, with their values where those are integers: text is hashed, each server as it likes.
    private func hits(_ messages: [ReplyMessage], _ query: QueryRequest) throws -> [String] {
        try messages.filter { !$0.isLast && $0.header.fieldCount > 0 }.map { message in
            let (key, value) = try message.key()
            let isInteger = query.range?.bounds.0.integer != nil
            return "\(key.digest) \(isInteger ? value ?? 0 : 0) \(try message.record().bins)"
        }
        .sorted()
    }

    private func query(_ index: SecondaryIndex, _ numbers: inout SeededNumbers) -> QueryRequest {
        var query = QueryRequest(namespace: "test", set: IndexDifferentialTests.setName, taskID: numbers.next())
        let first = Int64.random(in: -2..<12, using: &numbers)
        let last = first + Int64.random(in: 0..<5, using: &numbers)
        let bounds: (Value, Value) =
            switch index.type {
            case .integer: (.integer(first), .integer(last))
            case .string: (.string("s\(first)"), .string("s\(first)"))
            case .blob: (.bytes([UInt8(clamping: first)]), .bytes([UInt8(clamping: first)]))
            }
        let isNamed = Bool.random(using: &numbers)
        query.range = .init(
            bin: isNamed ? "" : index.binName,
            from: bounds.0,
            through: bounds.1,
            indexName: isNamed ? index.name : "",
            collection: isNamed ? .none : index.collection
        )
        query.isShort = Bool.random(using: &numbers)
        var partitionIDs = Set<UInt16>()
        for number in 0..<IndexDifferentialTests.recordCount {
            let key = key(number)
            guard partitionIDs.insert(UInt16(key.partitionID)).inserted else { continue }
            // Some partitions are gone on with after a record that may not even be in the range.
            if Int.random(in: 0..<8, using: &numbers) == 0, case .integer = bounds.0 {
                partitionIDs.remove(UInt16(key.partitionID))
                guard !query.resumptions.contains(where: { $0.digest.partitionID == key.partitionID }) else { continue }
                query.resumptions.append(.init(digest: key.digest, indexedValue: UInt64(bitPattern: first)))
            }
        }
        partitionIDs.subtract(query.resumptions.map { UInt16($0.digest.partitionID) })
        query.partitionIDs = partitionIDs.sorted()
        query.binNames = Bool.random(using: &numbers) ? nil : ["n", "s"]
        return query
    }

    private func prepare(_ server: RawConnection, _ test: inout TestStore, _ numbers: inout SeededNumbers) throws {
        for pair in pairs {
            _ = try server.info("sindex-create:\(pair.info)")
            try test.store.createIndex(pair.index)
        }
        for number in 0..<IndexDifferentialTests.recordCount {
            func digit() -> Int64 { Int64.random(in: 0..<10, using: &numbers) }
            let list = (0..<digit()).map { _ in Bool.random(using: &numbers) ? Value.integer(digit()) : "s\(digit())" }
            let map = Set((0..<digit()).map { _ in digit() })
            let bins: [(String, Value)] = [
                ("n", Bool.random(using: &numbers) ? .integer(digit()) : "s\(digit())"),
                ("s", Bool.random(using: &numbers) ? .integer(digit()) : "s\(digit())"),
                ("y", .bytes([UInt8(digit())])), ("l", .list(Value.List(list))),
                ("m", .map(Value.Map(map.sorted().map { ("s\($0)", .integer($0 % 4)) }))),
            ]
            let policy = WritePolicy { $0.exists = .createOrReplace }
            var bytes = ByteBuffer()
            try bytes.writeRequest(.put(key(number), bins: bins, policy: policy), timeoutMilliseconds: 1000)
            let code = try server.messages(bytes, .one).first?.resultCode
            #expect(code == .ok)
            try test.put(key(number), bins)
        }
        // An index that is still being built refuses to be asked.
        for pair in pairs {
            for _ in 0..<500 {
                let status =
                    try server.info("sindex-stat:namespace=test;indexname=\(pair.index.name)").values.first ?? ""
                if status.contains("load_pct=100") { break }
                usleep(10_000)
            }
        }
    }
}

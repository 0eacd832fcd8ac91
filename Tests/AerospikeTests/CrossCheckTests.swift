import Aerospike
import Foundation
import NIOCore
import Testing

/// The interpreter to run the Python client with; without it these tests are left out.
private let pythonPath = ProcessInfo.processInfo.environment["AEROSPIKE_PYTHON"]

/// The Python client reads what we write, and we read what it writes.
@Suite(
    .enabled(
        if: LiveServer.address != nil && pythonPath != nil,
        "set AEROSPIKE_HOST to a server, and AEROSPIKE_PYTHON to a python3 that has PyPI's aerospike"
    )
)
struct CrossCheckTests {
    @Test func eachReadsTheOthersRecords() throws {
        let server = try LiveServer()
        var policy = WritePolicy()
        policy.exists = .createOrReplace
        let ours = Key(namespace: "test", set: "swift-wire", "for-python")
        let bins: [(String, Value)] = [
            ("int", .integer(.min)), ("double", 2.5), ("bool", true), ("string", "hé漢😀"), ("blob", .bytes([0, 255])),
            ("list", [1, "a", .bytes([9]), 2.5, true, nil, [[]], ["k": [:]]]),
            ("map", ["k": [1, ["n": nil]], 7: "seven"]),
            ("ordered", .map(Value.Map([("b", 2), ("a", 1), ("c", 0)], order: .keyValueOrdered))),
            ("sorted", .list(Value.List([3, 1, 2], order: .ordered))),
        ]
        _ = try server.call(.put(ours, bins: bins, policy: policy))
        let theirs = Key(namespace: "test", set: "swift-wire", "from-python")
        _ = try server.call(.put(theirs, bins: [("before", 1)], policy: policy))
        _ = try server.call(.delete(theirs, policy: WritePolicy()))

        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Vectors/crosscheck.py")
        let process = Process()
        process.executableURL = URL(filePath: try #require(pythonPath))
        let address = try #require(LiveServer.address)
        process.arguments = [script.path(), address.contains(":") ? address : address + ":3000"]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "what it says is in the output of the test")

        let record = try server.call(.get(theirs, bins: nil, policy: ReadPolicy()))
        let expected: [String: Value] = [
            "int": -5, "double": 1.25, "bool": false, "string": "ü", "blob": .bytes([1, 2]),
            "list": [1, [2, ["x": nil]], "three", 4.5], "map": ["a": [1], "b": .bytes([0x7a])],
            "ordered": ["a": 1, "b": 2], "geo": .geoJSON(#"{"type": "Point", "coordinates": [1.0, 2.0]}"#),
        ]
        #expect(Dictionary(uniqueKeysWithValues: record.bins.map { ($0.name, $0.value) }) == expected)
        #expect(record["ordered"]?.map?.order == .keyOrdered)
        // Both call the record by the same digest, or neither would have found the other's.
        let exists: Exp<Bool> = .map(bin: "ordered").get(.key("a"), .exists)
        #expect(try server.operate(theirs, [.read(exists, as: "e")]).values == [true])
    }
}

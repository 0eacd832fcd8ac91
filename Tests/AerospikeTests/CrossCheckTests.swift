import Aerospike
import AerospikeTestSupport
import Testing

/// The Python client reads what we write, and we read what it writes.
@Suite(.enabled(if: PythonProgram.hasClient, "\(PythonProgram.remedy)"))
struct CrossCheckTests {
    @Test(arguments: ServerUnderTest.allAndInProcess)
    func eachReadsTheOthersRecords(_ server: ServerUnderTest) async throws {
        try await server.withClient { client in
            let set = TestSet("cross")
            let ours = set.key("for-python")
            try await writeForPython(ours, client)

            let seed = try #require(client.configuration.seeds.first)
            let (status, output) = try await PythonProgram.run(
                script: "Tests/AerospikeTests/Vectors/crosscheck.py",
                [seed.name, "\(seed.port)", set.name]
            )
            #expect(status == 0 && output == "ok\n", "\(output)")

            let theirs = set.key("from-python")
            try await readFromPython(theirs, client)
            await set.remove([ours, theirs], from: client)
        }
    }

    private func writeForPython(_ key: Key, _ client: AerospikeClient) async throws {
        try await client.put(
            key,
            [
                "int": .integer(.min), "double": 2.5, "bool": true, "string": "hé漢😀", "blob": .bytes([0, 255]),
                "list": [1, "a", .bytes([9]), 2.5, true, nil, [[]], ["k": [:]]],
                "map": ["k": [1, ["n": nil]], 7: "seven"],
                "ordered": .map(Value.Map([("b", 2), ("a", 1), ("c", 0)], order: .keyValueOrdered)),
                "sorted": .list(Value.List([3, 1, 2], order: .ordered)),
            ]
        )
        let best: Exp<Int> = .map(bin: "ordered").get(.rank(-1), .value(Int.self))
        let keys: Exp<Value.List> = .map(bin: "ordered").get(.ranks(from: 0), .key)
        try await client.operate(
            key,
            [
                .write(best * 20 + .list(bin: "sorted").size() + 2, to: "written"),
                .write(keys, to: "top"),
            ]
        )
    }

    private func readFromPython(_ key: Key, _ client: AerospikeClient) async throws {
        let record = try #require(await client.get(key))
        let expected: [String: Value] = [
            "int": -5, "double": 1.25, "bool": false, "string": "ü", "blob": .bytes([1, 2]),
            "list": [1, [2, ["x": nil]], "three", 4.5, 6], "map": ["a": [1], "b": .bytes([0x7a]), "c": 7],
            "ordered": ["a": 1, "b": 2], "geo": .geoJSON(#"{"type": "Point", "coordinates": [1.0, 2.0]}"#),
            // What expressions of theirs came to.
            "written": 7, "third": "three",
        ]
        #expect(Dictionary(uniqueKeysWithValues: record.bins.map { ($0.name, $0.value) }) == expected)
        #expect(record["ordered"]?.map?.order == .keyOrdered)
        // Both call the record by the same digest, or neither would have found the other's.
        let exists: Exp<Bool> = .map(bin: "ordered").get(.key("a"), .exists)
        let answers = try await client.operate(
            key,
            [
                .read(exists, as: "e"),
                .list("list").get(.index(1)),
                .map("map").get(.rank(-1), returning: .key),
                .read(.int(bin: "written") - .int(bin: "int"), as: "sum"),
            ]
        )
        #expect(answers.values == [true, [2, ["x": nil]], "b", 12])
    }
}

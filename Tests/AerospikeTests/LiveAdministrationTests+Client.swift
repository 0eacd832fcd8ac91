import Aerospike
import Testing

/// The same by the client's own methods.
extension LiveAdministrationTests {
    @Test func theClientAdministersACluster() async throws {
        let (host, port) = try LiveServer.seed
        let seed = AerospikeClientConfiguration.Host(host, port: port)
        let setName = "swift-client-adm"
        var configuration = AerospikeClientConfiguration(seeds: [seed])
        // A machine that has much else to do is to pass as well.
        configuration.connectTimeout = .seconds(120)
        try await AerospikeClient.withClient(configuration, timeout: .seconds(120)) { client in
            for number in 0..<10 {
                let key = Key(namespace: "test", set: setName, .integer(Int64(number)))
                try await client.put(key, ["n": .integer(Int64(number))])
            }
            let none = try await #require(throws: AerospikeError.self) {
                try await client.execute(background: Query(namespace: "no-such"), [.add("n", 1)])
            }
            #expect(none.code == .namespaceNotFound && !none.inDoubt)
            let index = IndexDefinition("swift_client_n", namespace: "test", set: setName, bin: "n", type: .integer)
            try await client.createIndex(index)
            try await client.waitUntilReady(index: index.name, namespace: "test")
            var query = Query(namespace: "test", set: setName)
            query.range = .between(bin: "n", 7...9)
            try await client.execute(background: query, [.add("n", 100)]).waitUntilDone()
            let module = "swift_client_adm.lua"
            let source = "function half(record) record['n'] = record['n'] / 2; aerospike:update(record) end"
            try await client.removeFunctions(module)
            try await client.registerFunctions(module, source: source)
            #expect(try await client.listFunctions().contains { $0.name == module })
            #expect(try await client.functions(in: module) == source)
            query.range = .between(bin: "n", 108...109)
            let task = try await client.execute(background: query, package: "swift_client_adm", function: "half")
            try await task.waitUntilDone()
            #expect(try await task.progress().values.allSatisfy { $0.isDone && $0.failedCount == 0 })
            var found: [Int64] = []
            for try await (_, record) in client.query(Query(namespace: "test", set: setName)) {
                found.append(record["n"]?.integer ?? record["n"]?.double.map { Int64($0) } ?? -1)
            }
            #expect(found.sorted() == [0, 1, 2, 3, 4, 5, 6, 54, 54, 107])
            try await client.removeFunctions(module)
            try await client.dropIndex(index.name, namespace: "test")
            try await client.truncate(namespace: "test", set: setName)
            for number in 0..<10 {
                #expect(try await !client.exists(Key(namespace: "test", set: setName, .integer(Int64(number)))))
            }
            let builds = try await client.info(["build"])
            #expect(!builds.isEmpty && builds.values.allSatisfy { $0["build"]?.isEmpty == false })
            let name = try #require(builds.keys.first)
            #expect(try await client.info(["build"], node: name) == builds.filter { $0.key == name })
            #expect(try await client.configuration(ofNamespace: "test")[name]?.integer("replication-factor") != nil)
            let error = try await #require(throws: AerospikeError.self) {
                try await client.info(["build"], node: "nobody")
            }
            #expect(error.code == .invalidNode)
        }
    }
}

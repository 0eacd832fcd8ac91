import Beanspike
import BeanspikeCore
import Testing

@Suite("Store URLs")
struct StoreLocationTests {
    @Test(
        "What each URL names",
        arguments: [
            ("memory:", StoreLocation.memory),
            ("embedded:data", .embedded(directory: "data")),
            ("embedded:/var/lib/with space", .embedded(directory: "/var/lib/with space")),
            ("aerospike://a", .aerospike(nodes: [.init(host: "a", port: 3_000)], namespace: "beanspike")),
            ("aerospike://a/", .aerospike(nodes: [.init(host: "a", port: 3_000)], namespace: "beanspike")),
            (
                "aerospike://a:1,b.example,[::1]:65535/jobs-2",
                .aerospike(
                    nodes: [
                        .init(host: "a", port: 1), .init(host: "b.example", port: 3_000),
                        .init(host: "::1", port: 65_535),
                    ],
                    namespace: "jobs-2"
                )
            ),
        ]
    )
    func valid(url: String, location: StoreLocation) throws {
        let parsed = try StoreLocation(url)
        #expect(parsed == location)
        // What is printed can be read again.
        #expect(try StoreLocation(parsed.description) == location)
    }

    @Test(
        "What is no URL is refused with its text in the message",
        arguments: [
            "", "memory", "memory:x", "embedded:", "embedded", "redis://a", "aerospike://", "aerospike:///ns",
            "aerospike://a:0", "aerospike://a:65536", "aerospike://a:", "aerospike://a:x", "aerospike://a:+1",
            "aerospike://a,,b", "aerospike://[::1", "aerospike://[::1]x", "aerospike://a/n/s", "aerospike://a b",
            "aerospike://a/" + String(repeating: "n", count: 32),
        ]
    )
    func invalid(url: String) throws {
        let error = try #require(throws: JobStoreError.self) { try StoreLocation(url) }
        #expect(error.code == .badURL)
        #expect(error.message.contains(url))
    }

    @Test(
        "What the environment names",
        arguments: [
            ([:], StoreLocation.embedded(directory: "./beanspike-data")),
            (["AEROSPIKE_HOST": "", "AEROSPIKE_PORT": ""], .embedded(directory: "./beanspike-data")),
            (["AEROSPIKE_HOST": "db"], .aerospike(nodes: [.init(host: "db", port: 3_000)], namespace: "beanspike")),
            (
                ["AEROSPIKE_HOST": "db", "AEROSPIKE_PORT": "3100"],
                .aerospike(nodes: [.init(host: "db", port: 3_100)], namespace: "beanspike")
            ),
            (
                ["AEROSPIKE_HOST": "db", "AEROSPIKE_PORT": "tcp://172.17.0.5:3000"],
                .aerospike(nodes: [.init(host: "db", port: 3_000)], namespace: "beanspike")
            ),
            (
                ["AEROSPIKE_PORT": "tcp://172.17.0.5:3007"],
                .aerospike(nodes: [.init(host: "172.17.0.5", port: 3_007)], namespace: "beanspike")
            ),
        ] as [([String: String], StoreLocation)]
    )
    func environment(variables: [String: String], location: StoreLocation) throws {
        #expect(try StoreLocation(environment: variables) == location)
    }

    @Test("A port in the environment that is none is refused")
    func badEnvironment() throws {
        for port in ["x", "0", "70000", "tcp://", "tcp://a:x"] {
            let error = try #require(throws: JobStoreError.self) {
                try StoreLocation(environment: ["AEROSPIKE_HOST": "db", "AEROSPIKE_PORT": port])
            }
            #expect(error.code == .badURL)
        }
    }

    @Test("The store in memory opens and closes")
    func memory() async throws {
        let store = try await StoreLocation.memory.open()
        try await store.close()
    }
}

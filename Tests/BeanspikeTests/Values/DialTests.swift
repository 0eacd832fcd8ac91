import Testing

@testable import Beanspike

/// What the environment names, and what is said where it makes no sense.
@Suite struct DialTests {
    @Test(
        arguments: [
            ([:], "aerospike://aerospike:3000/beanspike"),
            (["AEROSPIKE_HOST": "db"], "aerospike://db:3000/beanspike"),
            (["AEROSPIKE_PORT": "3100"], "aerospike://aerospike:3100/beanspike"),
            (["AEROSPIKE_HOST": "db", "AEROSPIKE_PORT": "3100"], "aerospike://db:3100/beanspike"),
            (["AEROSPIKE_PORT": "tcp://172.17.0.5:3000"], "aerospike://172.17.0.5:3000/beanspike"),
            (["AEROSPIKE_HOST": "db", "AEROSPIKE_PORT": "tcp://172.17.0.5:3100"], "aerospike://db:3100/beanspike"),
            (["AEROSPIKE_HOST": "", "AEROSPIKE_PORT": ""], "aerospike://aerospike:3000/beanspike"),
        ] as [([String: String], String)]
    )
    func isFound(environment: [String: String], url: String) throws {
        #expect(try Connection.defaultLocation(environment).description == url)
    }

    @Test(arguments: ["0", "70000", "-1", "many", "udp://172.17.0.5:3000", "tcp://172.17.0.5:x", "3000 "])
    func whatMakesNoSenseIsSaid(port: String) throws {
        let error = try #require(throws: BeanspikeError.self) {
            try Connection.defaultLocation(["AEROSPIKE_PORT": port])
        }
        #expect(error.code == .badAddress)
        #expect(error.message.contains(port))
    }

    @Test func badURLsAreRefused() async {
        await expect(.badAddress) { _ = try await Connection.dial("redis://here") }
        await expect(.badAddress) { _ = try await Connection.dial(id: "", host: "a b") }
        await expect(.badAddress) { _ = try await Connection.dial(id: "", host: "here", port: 0) }
        await expect(.unreachable) { _ = try await Connection.dial("embedded:/proc/no/such/place") }
    }

    @Test func aClusterThatIsNotThereIsAnError() async {
        var configuration = Connection.Configuration()
        configuration.store.openTimeout = .milliseconds(200)
        await expect(.unreachable) {
            _ = try await Connection.dial(
                id: "me",
                host: "127.0.0.1",
                port: 1,
                configuration: configuration,
                logger: TestQueue.quiet
            )
        }
    }

    @Test func waitingForAClusterCanBeCancelled() async {
        let dialling = Task {
            try await Connection.dial(id: "me", host: "127.0.0.1", port: 1, logger: TestQueue.quiet)
        }
        dialling.cancel()
        await #expect(throws: CancellationError.self) { _ = try await dialling.value }
    }

    @Test func namesAndNumbersAreChecked() async throws {
        try await TestQueue.memory.withConnection { connection in
            await expect(.invalidArgument) { _ = try connection.use("") }
            await expect(.invalidArgument) { _ = try connection.use("two words") }
            let tube = try connection.use("numbers")
            await expect(.invalidArgument) { try await tube.put("x", delay: .seconds(-1)) }
            await expect(.invalidArgument) { try await tube.put("x", timeToRun: .seconds(1 << 33)) }
            await expect(.invalidArgument) { try await tube.put("x", metadata: String(repeating: "m", count: 20_000)) }
            let id = try await tube.put("x", delay: .milliseconds(1), timeToRun: .zero)
            #expect(try await tube.peekDelayed()?.id == id)
            #expect(try await tube.peekDelayed()?.timeToRun == .seconds(1))
        }
    }
}

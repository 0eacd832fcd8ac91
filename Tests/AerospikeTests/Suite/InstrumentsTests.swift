import Aerospike
import AerospikeTestSupport
import InMemoryTracing
import Metrics
import MetricsTestKit
import Testing
import Tracing

/// What is told of calls to metrics and traces.
struct InstrumentsTests {
    @Test func eachCallIsASpanAndATime() async throws {
        let tracer = InMemoryTracer()
        let metrics = TestMetrics()
        let server = ServerUnderTest(nodeCount: !RealServer.isNamed ? 1 : nil)
        try await server.withClient { configuration in
            configuration.tracer = tracer
            configuration.metrics = metrics
        } _: { client in
            let set = TestSet("instruments")
            try await client.put(set.key(1), ["n": 1])
            _ = try await client.get(set.key(1))
            await #expect(throws: AerospikeError.self) { try await client.append(set.key(1), ["n": "text"]) }
            _ = try await client.batch([.delete(set.key(1)), .get(set.key(2))])

            let spans = tracer.finishedSpans
            #expect(spans.map(\.operationName) == ["PUT test", "GET test", "APPEND test", "BATCH test"])
            #expect(spans.allSatisfy { $0.kind == .client })
            let put = try #require(spans.first).attributes
            #expect(put.get("db.system.name") == .string("aerospike"))
            #expect(put.get("db.collection.name") == .string(set.name))
            let failed = spans[2]
            #expect(failed.attributes.get("error.type") == .string(ResultCode.incompatibleType.name))
            #expect(failed.attributes.get("db.response.status_code") == .string("12"))
            #expect(failed.status?.code == .error)
            let timer = try metrics.expectTimer(
                "db.client.operation.duration",
                [("db.system.name", "aerospike"), ("db.operation.name", "PUT")]
            )
            #expect(timer.values.count == 1)
        }
    }
}

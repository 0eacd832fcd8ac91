import Metrics
import NIOCore
import Synchronization
import Tracing

/// Where calls are counted, timed and traced.
///
/// Where the application has bootstrapped neither metrics nor tracing, a call costs nothing for them.
final class Instruments: Sendable {
    /// Whether anybody looks.
    let areOn: Bool

    private let tracer: (any Tracer)?
    private let timers: [CallName: Timer]
    private let turn = Atomic<Int>(0)

    init(tracer: (any Tracer)?, metrics: (any MetricsFactory)?) {
        let global = InstrumentationSystem.tracer
        self.tracer = tracer ?? (global is NoOpTracer ? nil : global)
        let factory = metrics ?? MetricsSystem.factory
        let areMetricsOn = !(factory is NOOPMetricsHandler)
        areOn = areMetricsOn || self.tracer != nil
        timers =
            areMetricsOn
            ? Dictionary(
                uniqueKeysWithValues: CallName.allCases.map { name in
                    let dimensions = [("db.system.name", "aerospike"), ("db.operation.name", name.rawValue)]
                    return (
                        name, Timer(label: "db.client.operation.duration", dimensions: dimensions, factory: factory)
                    )
                }
            ) : [:]
    }

    /// A number that goes up with each call that asks for it.
    func nextTurn() -> Int {
        turn.wrappingAdd(1, ordering: .relaxed).newValue & 0xffff
    }

    /// Times and traces a call on a record.
    func observe<Output: Sendable>(
        _ name: CallName,
        of key: Key,
        _ body: () async throws(AerospikeError) -> Output
    ) async throws(AerospikeError) -> Output {
        try await observe(name, namespace: key.namespace, setName: key.setName, body)
    }

    /// Times and traces a call.
    ///
    /// The names are those of OpenTelemetry's semantic conventions for databases.
    func observe<Output: Sendable>(
        _ name: CallName,
        namespace: String,
        setName: String,
        _ body: () async throws(AerospikeError) -> Output
    ) async throws(AerospikeError) -> Output {
        let start = NIODeadline.now()
        let span = tracer?.startSpan("\(name.rawValue) \(namespace)", ofKind: .client)
        span?.updateAttributes { attributes in
            attributes["db.system.name"] = "aerospike"
            attributes["db.operation.name"] = name.rawValue
            attributes["db.namespace"] = namespace
            if !setName.isEmpty {
                attributes["db.collection.name"] = setName
            }
        }
        let result: Result<Output, AerospikeError>
        do throws(AerospikeError) {
            result = .success(try await body())
        } catch {
            result = .failure(error)
        }
        if let span {
            if case .failure(let error) = result {
                span.updateAttributes { attributes in
                    attributes["error.type"] = error.code.name
                    attributes["db.response.status_code"] = "\(error.code.rawValue)"
                    if let node = error.node {
                        attributes["server.address"] = node
                    }
                }
                span.setStatus(SpanStatus(code: .error, message: error.message))
            }
            span.end()
        }
        timers[name]?.recordNanoseconds((.now() - start).nanoseconds)
        return try result.get()
    }
}

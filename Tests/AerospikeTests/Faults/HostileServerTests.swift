import Aerospike
import Testing

/// A server that sends what it likes: calls fail with a code, nothing grows without bound, and nothing breaks for good.
@Suite(.serialized)
struct HostileServerTests {
    /// What calls may come to.
    private static let codes: Set<ResultCode> = [
        .malformedReply, .unsupportedFeature, .connection, .timeout, .maxErrorRate, .noResponse,
    ]

    @Test(.timeLimit(.minutes(1)), arguments: HostileServer.Manner.allCases.filter { $0 != .honest })
    func callsFailWithACodeAndWorkAgain(manner: HostileServer.Manner) async throws {
        try await HostileServer.withServer { server in
            var configuration = AerospikeClientConfiguration(seeds: [server.seed])
            configuration.connectionsPerNode = 2
            configuration.stallTimeout = .milliseconds(500)
            try await AerospikeClient.withClient(configuration, timeout: .seconds(60)) { client in
                server.answer(manner, seed: 7)
                let codes = await HostileServerTests.codesOfCalls(client)
                #expect(codes.isSubset(of: HostileServerTests.codes), "\(codes)")
                // Two replies look right until the second comes.
                #expect(!codes.isEmpty || manner == .repliesTwice)
                #expect(server.bytesTakenMax <= 2 * AerospikeLimits.messageBytesMax)

                server.answer(.honest, seed: 7)
                var policy = WritePolicy()
                policy.call.timeout = .seconds(20)
                policy.call.tryTimeout = .seconds(1)
                policy.call.triesMax = 100
                policy.call.retriesInDoubt = true
                // Connections that are still spoilt are found out one by one: each may answer one call more.
                var spoilt = 0
                while true {
                    do throws(AerospikeError) {
                        let generation = try await client.put(HostileServerTests.key(0), ["a": 1], policy: policy)
                        #expect(generation == 1)
                        break
                    } catch {
                        spoilt += 1
                        try #require(
                            error.code == .malformedReply && spoilt <= configuration.connectionsPerNode,
                            "\(error)"
                        )
                    }
                }
            }
        }
    }

    private static func key(_ number: Int) -> Key {
        Key(namespace: "test", set: "hostile", .integer(Int64(number)))
    }

    /// What calls of each kind, several at a time, came to, but for those that were answered well.
    private static func codesOfCalls(_ client: AerospikeClient) async -> Set<ResultCode> {
        await withTaskGroup(of: [AerospikeError].self) { group in
            for task in 0..<8 {
                group.addTask {
                    var errors: [AerospikeError] = []
                    var write = WritePolicy()
                    write.call.timeout = .milliseconds(300)
                    var read = ReadPolicy()
                    read.call.timeout = .milliseconds(300)
                    var batch = BatchPolicy()
                    batch.call.timeout = .milliseconds(300)
                    for number in 0..<4 {
                        let key = key(task * 100 + number)
                        do throws(AerospikeError) {
                            try await client.put(key, ["a": 1], policy: write)
                        } catch {
                            errors.append(error)
                        }
                        do throws(AerospikeError) {
                            _ = try await client.get(key, policy: read)
                        } catch {
                            #expect(!error.inDoubt)
                            errors.append(error)
                        }
                        do throws(AerospikeError) {
                            let operations: [Aerospike.Operation] = [.add("a", 1), .get("a")]
                            try await client.operate(key, operations, policy: write)
                        } catch {
                            errors.append(error)
                        }
                        do throws(AerospikeError) {
                            let calls: [BatchCall] = [.get(key), .put(key, ["b": 2])]
                            for case .failure(let error) in try await client.batch(calls, policy: batch) {
                                errors.append(error)
                            }
                        } catch {
                            errors.append(error)
                        }
                    }
                    return errors
                }
            }
            return await group.reduce(into: []) { codes, errors in codes.formUnion(errors.map(\.code)) }
        }
    }
}

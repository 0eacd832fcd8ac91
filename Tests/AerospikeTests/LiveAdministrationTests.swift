import Aerospike
import AerospikeTestSupport
import NIOCore
import NIOPosix
import Testing

/// Indexes, functions, truncation and queries in the background, on the server that `AEROSPIKE_HOST` names or a node in
/// this process.
///
/// It uses the namespace `test`, and sets, indexes and modules of its own.
@Suite(.serialized, .onThreads)
struct LiveAdministrationTests {
    private static let set = "swift-administration"
    private let server: RawConnection

    init() throws {
        server = try LiveServer.connect()
    }

    private var administration: Administration<ContinuousClock> {
        get throws {
            let version = try #require(ServerVersion(server.info("build")["build"] ?? ""))
            let connection = LiveConnection()
            return Administration(clock: ContinuousClock()) {
                [.init(name: "live", version: version) { names throws(AerospikeError) in try connection.ask(names) }]
            }
        }
    }

    /// A connection for each question, for the blocking one is not to be shared between tasks.
    private struct LiveConnection: Sendable {
        func ask(_ names: [String]) throws(AerospikeError) -> [String: String] {
            do {
                var values: [String: String] = [:]
                for name in names {
                    values.merge(try LiveServer.connect().info(name)) { $1 }
                }
                return values
            } catch {
                throw AerospikeError(.connection, cause: error)
            }
        }
    }

    private func fill(_ count: Int) throws {
        for number in 0..<count {
            let bins: [(String, Value)] = [
                ("n", .integer(Int64(number))), ("tags", ["t\(number)", "all"]),
                ("deep", ["k": ["x": .integer(Int64(number))]]),
            ]
            _ = try server.call(.put(key(number), bins: bins, policy: WritePolicy()))
        }
    }

    private func key(_ number: Int) -> Key { Key(namespace: "test", set: Self.set, .integer(Int64(number))) }

    private func request(_ range: QueryRequest.Range?) -> QueryRequest {
        var query = QueryRequest(namespace: "test", set: Self.set, taskID: .random(in: 1 ... .max))
        query.partitionIDs = (0..<4096).map { UInt16($0) }
        query.range = range
        return query
    }

    /// The code of a reply that is one message: an error, which is not marked as the last.
    private func refusal(_ write: (inout ByteBuffer) throws -> Void) throws -> ResultCode {
        var buffer = ByteBuffer()
        try write(&buffer)
        try server.send(buffer)
        guard case .message(let message, endsBody: true) = try server.receive() else { throw Unexpected() }
        return message.resultCode
    }

    private func numbers(in range: QueryRequest.Range?) throws -> [Int64] {
        var buffer = ByteBuffer()
        try request(range).write(into: &buffer, timeoutMilliseconds: 0)
        let messages = try server.stream(buffer).filter { $0.donePartitionID == nil }
        return try messages.compactMap { try $0.record()["n"]?.integer }.sorted()
    }

    @Test func indexesAreCreatedFoundByAndDropped() async throws {
        try fill(10)
        let administration = try administration
        let cases: [(IndexDefinition, QueryRequest.Range, [Int64])] = [
            (
                IndexDefinition("swift_adm_n", namespace: "test", set: Self.set, bin: "n", type: .integer),
                .init(bin: "n", from: 3, through: 5), [3, 4, 5]
            ),
            (
                IndexDefinition(
                    "swift_adm_t",
                    namespace: "test",
                    set: Self.set,
                    bin: "tags",
                    type: .string,
                    of: .listElements
                ),
                .init(bin: "tags", from: "t7", through: "t7", collection: .listElements), [7]
            ),
            (
                IndexDefinition(
                    "swift_adm_d",
                    namespace: "test",
                    set: Self.set,
                    bin: "deep",
                    type: .integer,
                    of: .mapValues,
                    at: [.mapKey("k")]
                ),
                .init(bin: "deep", from: 2, through: 3, collection: .mapValues, context: [.mapKey("k")]), [2, 3]
            ),
            (
                IndexDefinition(
                    "swift_adm_e",
                    namespace: "test",
                    set: Self.set,
                    expression: .int(bin: "n") * 10,
                    type: .integer
                ),
                .init(bin: "", from: 80, through: 90, indexName: "swift_adm_e"), [8, 9]
            ),
        ]
        for (index, range, expected) in cases {
            try await administration.create(index)
            // Once more is once.
            try await administration.create(index)
            try await administration.waitUntilReady(index: index.name, namespace: "test", timeout: .seconds(20))
            #expect(try numbers(in: range) == expected, "\(index.name)")
            try await administration.dropIndex(index.name, namespace: "test")
            try await administration.dropIndex(index.name, namespace: "test")
            #expect(try refusal { try request(range).write(into: &$0, timeoutMilliseconds: 0) } == .indexNotFound)
        }
    }

    @Test func truncationEmptiesASet() async throws {
        try fill(5)
        #expect(try numbers(in: nil).count >= 5)
        try await administration.truncate(namespace: "test", set: Self.set, beforeUnixNanoseconds: nil)
        #expect(try numbers(in: nil).isEmpty)
        let error = try await #require(throws: AerospikeError.self) {
            try await administration.truncate(namespace: "test", set: Self.set, beforeUnixNanoseconds: .max / 4)
        }
        #expect(error.code != .ok)
    }

    @Test func modulesAreRegisteredExecutedAndRemoved() async throws {
        let administration = try administration
        let name = "swift_adm.lua"
        let source = "function twice(record, bin) record[bin] = record[bin] * 2; aerospike:update(record) end"
        try await administration.register(name, content: Array(source.utf8))
        try await administration.waitUntilEverywhere(module: name, timeout: .seconds(20))
        #expect(try await administration.modules().contains { $0.name == name && !$0.hash.isEmpty })
        #expect(try await administration.content(ofModule: name) == Array(source.utf8))
        try fill(6)
        let program = RecordRequest.Program(package: "swift_adm", function: "twice", arguments: ["n"])
        _ = try server.call(.execute(key(1), program, policy: WritePolicy()))
        #expect(try server.call(.get(key(1), bins: ["n"], policy: ReadPolicy()))["n"] == 2)
        try await runInBackground(.program(program)) { $0.filter = .int(bin: "n") >= 4 }
        #expect(try server.call(.get(key(5), bins: ["n"], policy: ReadPolicy()))["n"] == 10)
        #expect(try server.call(.get(key(3), bins: ["n"], policy: ReadPolicy()))["n"] == 3)
        let bad = try await #require(throws: AerospikeError.self) {
            try await administration.register("swift_adm_bad.lua", content: Array("function".utf8))
        }
        #expect(bad.code == .udfExecution)
        try await administration.removeModule(name)
        try await administration.waitUntilEverywhere(module: name, isThere: false, timeout: .seconds(20))
        let missing = try await #require(throws: AerospikeError.self) {
            try await administration.content(ofModule: name)
        }
        #expect(missing.code == .notFound)
    }

    @Test func operationsRunInTheBackground() async throws {
        try fill(8)
        let task = try await runInBackground(.operations([.add("n", 100), .put("seen", true)])) {
            $0.filter = .int(bin: "n") < 4
        }
        #expect(Set(try numbers(in: nil)).isSuperset(of: [100, 101, 102, 103, 4, 5, 6, 7]))
        #expect(try server.call(.get(key(2), bins: nil, policy: ReadPolicy()))["seen"] == true)
        let progress = try #require(try await administration.progress(ofTask: task)["live"])
        #expect(progress.isDone && progress.failedCount == 0 && progress.succeededCount >= 4)
        let elsewhere = BackgroundQuery(QueryRequest(namespace: "no", taskID: 1), .operations([.add("n", 1)]))
        #expect(try refusal { try elsewhere.write(into: &$0, timeoutMilliseconds: 0) } == .namespaceNotFound)
    }

    @Test func theConfigurationIsRead() async throws {
        let configuration = try #require(try await administration.configuration(ofNamespace: "test")["live"])
        #expect(configuration.integer("replication-factor") != nil)
        #expect(configuration.boolean("strong-consistency") != nil)
        #expect(configuration["conflict-resolution-policy"] != nil)
        let error = try await #require(throws: AerospikeError.self) {
            try await administration.configuration(ofNamespace: "no-such")
        }
        #expect(error.code == .namespaceNotFound)
    }

    /// The Community Edition has no users, and lets everybody in.
    @Test func credentialsDoNoHarmWhereThereAreNoUsers() async throws {
        let security = ConnectionSecurity(credentials: .user("ann", password: "secret"))
        var connector = Connector(security: security)
        connector.connectTimeout = .seconds(120)
        let seed = try LiveServer.seed
        let connection = try await connector.connect(
            host: seed.host,
            port: seed.port,
            on: MultiThreadedEventLoopGroup.singleton.any()
        )
        #expect(try await connection.info(["build"], deadline: .now() + .seconds(10))["build"] != nil)
        connection.close()
    }

    private func start(_ query: BackgroundQuery) throws {
        var buffer = ByteBuffer()
        try query.write(into: &buffer, timeoutMilliseconds: 1000)
        #expect(try server.stream(buffer).isEmpty)
    }

    @discardableResult
    private func runInBackground(
        _ work: BackgroundQuery.Work,
        _ change: (inout QueryRequest) -> Void
    ) async throws -> UInt64 {
        var query = QueryRequest(namespace: "test", set: Self.set, taskID: .random(in: 1 ... .max))
        change(&query)
        try start(BackgroundQuery(query, work))
        try await administration.waitUntilDone(task: query.taskID, timeout: .seconds(20))
        return query.taskID
    }
}

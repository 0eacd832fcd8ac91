import NIOCore

/// A query that the nodes carry out by themselves.
public struct BackgroundTask: Sendable {
    /// The number by which nodes know it.
    public let id: UInt64
    private let client: AerospikeClient

    init(id: UInt64, client: AerospikeClient) {
        self.id = id
        self.client = client
    }

    /// How far each node has come.
    ///
    /// - Returns: the progress by the nodes' names.
    /// - Throws: ``AerospikeError``, with ``ResultCode/queryAborted`` if a node gave it up.
    public func progress() async throws(AerospikeError) -> [String: BackgroundProgress] {
        try await client.administration().progress(ofTask: id)
    }

    /// Waits until every node is done.
    ///
    /// A record that could not be changed is no error; ``progress()`` counts them.
    ///
    /// - Parameter timeout: how long to wait.
    /// - Throws: ``AerospikeError``, with ``ResultCode/timeout`` if it is not done in time, or
    ///   ``ResultCode/queryAborted`` if a node gave it up.
    public func waitUntilDone(timeout: Duration = .seconds(60)) async throws(AerospikeError) {
        try await client.administration().waitUntilDone(task: id, timeout: timeout)
    }
}

extension AerospikeClient {
    /// Has the nodes carry out operations on all records that a query finds; they answer before it is done.
    ///
    /// - Parameters:
    ///   - query: which records: its namespace, set, range, filter and records a second; the rest has no meaning here.
    ///   - operations: what is done to each, all of which write.
    ///   - timeToLive: how long the records live afterwards.
    ///   - timeout: how long a node may take to answer.
    /// - Returns: the task, to be waited for.
    /// - Throws: ``AerospikeError``; it is in doubt if some nodes may have begun.
    @discardableResult
    public func execute(
        background query: Query,
        _ operations: [Operation],
        timeToLive: TimeToLive = .namespaceDefault,
        timeout: Duration = .seconds(10)
    ) async throws(AerospikeError) -> BackgroundTask {
        try await start(query, .operations(operations), timeToLive, timeout)
    }

    /// Has the nodes run a function on all records that a query finds; they answer before it is done.
    ///
    /// - Parameters:
    ///   - query: which records: its namespace, set, range, filter and records a second; the rest has no meaning here.
    ///   - package: the module's name, without the extension.
    ///   - function: the function's name.
    ///   - arguments: what it is called with, after the record.
    ///   - timeout: how long a node may take to answer.
    /// - Returns: the task, to be waited for.
    /// - Throws: ``AerospikeError``; it is in doubt if some nodes may have begun.
    @discardableResult
    public func execute(
        background query: Query,
        package: String,
        function: String,
        arguments: [Value] = [],
        timeout: Duration = .seconds(10)
    ) async throws(AerospikeError) -> BackgroundTask {
        let program = RecordRequest.Program(package: package, function: function, arguments: arguments)
        return try await start(query, .program(program), .namespaceDefault, timeout)
    }

    private func start(
        _ query: Query,
        _ work: BackgroundQuery.Work,
        _ timeToLive: TimeToLive,
        _ timeout: Duration
    ) async throws(AerospikeError) -> BackgroundTask {
        var request = QueryRequest(namespace: query.namespace, set: query.setName, taskID: .random(in: 1 ... .max))
        request.range = query.range?.wire
        request.filter = query.filter
        request.recordsPerSecond = UInt32(clamping: query.recordsPerSecond)
        var background = BackgroundQuery(request, work)
        background.timeToLive = timeToLive
        let nodes = cluster.map.nodes
        guard !nodes.isEmpty else { throw AerospikeError(.invalidNode, "No node of the cluster is known.") }
        let asking = NodeQuestions(cluster: cluster, timeout: timeout.timeAmount)
        var hasBegun = false
        for node in nodes {
            do throws(CallFailure) {
                let last = try await asking.start(background, node)
                // A node that has nothing of the set has nothing to do.
                guard last.resultCode == .ok || last.resultCode == .notFound else {
                    throw CallFailure(AerospikeError(last.resultCode, node: node.description), wasSent: false)
                }
            } catch {
                throw error.error.adding(node: node.description, inDoubt: hasBegun || error.wasSent)
            }
            hasBegun = true
        }
        return BackgroundTask(id: request.taskID, client: self)
    }
}

/// Indexes, functions, truncation, configuration and whatever else nodes tell in text.
extension AerospikeClient {
    // MARK: Indexes

    /// Creates a secondary index; it is built in the background, see ``waitUntilReady(index:namespace:timeout:)``.
    ///
    /// Creating the same index once more does nothing.
    ///
    /// - Parameters:
    ///   - index: the index.
    ///   - timeout: how long a node may take to answer.
    /// - Throws: ``AerospikeError``, with ``ResultCode/indexFound`` if there is another index of the name.
    public func createIndex(
        _ index: IndexDefinition,
        timeout: Duration = .seconds(10)
    ) async throws(AerospikeError) {
        try await administration(timeout).create(index)
    }

    /// Waits until every node has built an index, so that queries can use it.
    ///
    /// - Parameters:
    ///   - index: the index's name.
    ///   - namespace: its namespace.
    ///   - timeout: how long to wait.
    /// - Throws: ``AerospikeError``, with ``ResultCode/timeout`` if the index is not built in time.
    public func waitUntilReady(
        index: String,
        namespace: String,
        timeout: Duration = .seconds(60)
    ) async throws(AerospikeError) {
        try await administration().waitUntilReady(index: index, namespace: namespace, timeout: timeout)
    }

    /// Drops a secondary index; one that is not there is no error.
    ///
    /// - Parameters:
    ///   - name: the index's name.
    ///   - namespace: its namespace.
    ///   - timeout: how long a node may take to answer.
    /// - Throws: ``AerospikeError``.
    public func dropIndex(
        _ name: String,
        namespace: String,
        timeout: Duration = .seconds(10)
    ) async throws(AerospikeError) {
        try await administration(timeout).dropIndex(name, namespace: namespace)
    }

    // MARK: Truncation

    /// Deletes all records of a set, or of a whole namespace.
    ///
    /// The Community Edition forgets it with a restart: records in files or on devices may come back then.
    ///
    /// - Parameters:
    ///   - namespace: the namespace.
    ///   - setName: the set; empty for the whole namespace.
    ///   - beforeUnixNanoseconds: only records that were last written before this time, which must have passed; nil for
    ///     all up to now.
    ///   - timeout: how long a node may take to answer.
    /// - Throws: ``AerospikeError``.
    public func truncate(
        namespace: String,
        set setName: String,
        beforeUnixNanoseconds: UInt64? = nil,
        timeout: Duration = .seconds(10)
    ) async throws(AerospikeError) {
        try await administration(timeout).truncate(
            namespace: namespace,
            set: setName,
            beforeUnixNanoseconds: beforeUnixNanoseconds
        )
    }

    // MARK: Functions

    /// Gives the cluster a module of functions in Lua, in the place of the one of that name if there is one.
    ///
    /// - Parameters:
    ///   - name: the file's name with its extension, such as `people.lua`.
    ///   - source: what is in the file, of at most 1 MiB.
    ///   - timeout: how long it may take until every node has it.
    /// - Throws: ``AerospikeError``, with ``ResultCode/udfExecution`` if it does not compile.
    public func registerFunctions(
        _ name: String,
        source: String,
        timeout: Duration = .seconds(10)
    ) async throws(AerospikeError) {
        let administration = administration(timeout)
        try await administration.register(name, content: Array(source.utf8))
        try await administration.waitUntilEverywhere(module: name, timeout: timeout)
    }

    /// The modules of functions that the cluster keeps.
    ///
    /// - Parameter timeout: how long a node may take to answer.
    /// - Returns: their names and hashes.
    /// - Throws: ``AerospikeError``.
    public func listFunctions(timeout: Duration = .seconds(10)) async throws(AerospikeError) -> [FunctionModule] {
        try await administration(timeout).modules()
    }

    /// What is in a module of functions.
    ///
    /// - Parameters:
    ///   - name: the file's name with its extension.
    ///   - timeout: how long a node may take to answer.
    /// - Returns: what is in the file.
    /// - Throws: ``AerospikeError``, with ``ResultCode/notFound`` if there is no such module.
    public func functions(
        in name: String,
        timeout: Duration = .seconds(10)
    ) async throws(AerospikeError) -> String {
        String(decoding: try await administration(timeout).content(ofModule: name), as: UTF8.self)
    }

    /// Removes a module of functions; one that is not there is no error.
    ///
    /// - Parameters:
    ///   - name: the file's name with its extension.
    ///   - timeout: how long it may take until no node has it.
    /// - Throws: ``AerospikeError``.
    public func removeFunctions(_ name: String, timeout: Duration = .seconds(10)) async throws(AerospikeError) {
        let administration = administration(timeout)
        try await administration.removeModule(name)
        try await administration.waitUntilEverywhere(module: name, isThere: false, timeout: timeout)
    }

    // MARK: Information

    /// What every node has configured for a namespace.
    ///
    /// - Parameters:
    ///   - namespace: the namespace.
    ///   - timeout: how long a node may take to answer.
    /// - Returns: the configurations by the nodes' names.
    /// - Throws: ``AerospikeError``.
    public func configuration(
        ofNamespace namespace: String,
        timeout: Duration = .seconds(10)
    ) async throws(AerospikeError) -> [String: ServerConfiguration] {
        try await administration(timeout).configuration(ofNamespace: namespace)
    }

    /// Asks nodes for the values of some names, such as `statistics` or `sets/test`.
    ///
    /// - Parameters:
    ///   - names: the names.
    ///   - nodeName: the one node to ask; nil for all.
    ///   - timeout: how long a node may take to answer.
    /// - Returns: the values by the nodes' names and the names asked for, as the nodes wrote them, errors too.
    /// - Throws: ``AerospikeError``, with ``ResultCode/invalidNode`` if there is no node of the name.
    public func info(
        _ names: [String],
        node nodeName: String? = nil,
        timeout: Duration = .seconds(10)
    ) async throws(AerospikeError) -> [String: [String: String]] {
        let nodes = cluster.map.nodes.filter { nodeName == nil || $0.name == nodeName }
        guard !nodes.isEmpty else { throw AerospikeError(.invalidNode, "There is no such node in the cluster.") }
        let asking = NodeQuestions(cluster: cluster, timeout: timeout.timeAmount)
        var values: [String: [String: String]] = [:]
        for node in nodes {
            values[node.name] = try await asking.ask(names, node)
        }
        return values
    }

    /// The nodes of the moment, by their names.
    package var nodeHosts: [String: AerospikeClientConfiguration.Host] {
        Dictionary(cluster.map.nodes.map { ($0.name, $0.host) }) { _, later in later }
    }

    // MARK: Asking

    /// What asks and waits for a public call.
    func administration(
        _ timeout: Duration = .seconds(10)
    ) -> Administration<ContinuousClock> {
        let asking = NodeQuestions(cluster: cluster, timeout: timeout.timeAmount)
        return Administration(clock: ContinuousClock()) { () async throws(AerospikeError) in
            try await asking.nodes()
        }
    }
}

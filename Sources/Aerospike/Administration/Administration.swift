/// What is asked of a cluster beside records: indexes, functions, truncation, configuration.
///
/// It knows nodes only by what they answer, and waits by the clock that it is given.
package struct Administration<Waiting: Clock>: Sendable where Waiting.Duration == Duration {
    /// A node that can be asked.
    package struct Node: Sendable {
        /// Asks for the values of some names.
        package typealias Ask = @Sendable (_ names: [String]) async throws(AerospikeError) -> [String: String]

        package var name: String
        package var version: ServerVersion
        package var ask: Ask

        package init(name: String, version: ServerVersion, ask: @escaping Ask) {
            self.name = name
            self.version = version
            self.ask = ask
        }

        func answers(_ command: InfoCommand) async throws(AerospikeError) -> [String: String] {
            do throws(AerospikeError) {
                return try await ask([command.text])
            } catch {
                throw error.adding(node: name)
            }
        }
    }

    /// The nodes that there are at the moment.
    private let nodes: @Sendable () async throws(AerospikeError) -> [Node]
    private let clock: Waiting

    package init(clock: Waiting, nodes: @escaping @Sendable () async throws(AerospikeError) -> [Node]) {
        self.clock = clock
        self.nodes = nodes
    }

    // MARK: Indexes

    package func create(_ index: IndexDefinition) async throws(AerospikeError) {
        try await carryOut { version throws(AerospikeError) in try index.createCommand(version) }
    }

    /// Drops an index; one that is not there is no error, as servers from 8.1 on see it.
    package func dropIndex(_ name: String, namespace: String) async throws(AerospikeError) {
        do throws(AerospikeError) {
            try await carryOut { version throws(AerospikeError) in
                try IndexDefinition.dropCommand(name, namespace: namespace, version)
            }
        } catch {
            guard error.code == .indexNotFound else { throw error }
        }
    }

    /// Waits until every node has built an index.
    package func waitUntilReady(index name: String, namespace: String, timeout: Duration) async throws(AerospikeError) {
        try await poll(timeout, for: "the index \(name)") { node throws(AerospikeError) in
            let command = try IndexDefinition.statusCommand(name, namespace: namespace, node.version)
            return try IndexDefinition.isReady(try command.answer(in: await node.answers(command)))
        }
    }

    // MARK: Truncation

    /// Deletes all records of a set, or of a namespace without its name, that were written before a time.
    package func truncate(
        namespace: String,
        set setName: String,
        beforeUnixNanoseconds: UInt64?
    ) async throws(AerospikeError) {
        try Key.check(namespace: namespace, setName: setName)
        let time = beforeUnixNanoseconds.map { "\($0)" }
        let command =
            setName.isEmpty
            ? try InfoCommand("truncate-namespace", ["namespace": namespace, "lut": time])
            : try InfoCommand("truncate", ["namespace": namespace, "set": setName, "lut": time])
        try await carryOut { _ in command }
    }

    // MARK: Functions

    package func register(_ name: String, content: [UInt8]) async throws(AerospikeError) {
        let command = try FunctionModule.registerCommand(name, content: content)
        let answer = try await askOne { _ in command }
        try FunctionModule.check(answer)
        guard answer.lowercased() == "ok" else { throw AerospikeError(.server, "The server says: \(answer).") }
    }

    package func modules() async throws(AerospikeError) -> [FunctionModule] {
        try FunctionModule.parseList(try await askOne { _ throws(AerospikeError) in try FunctionModule.listCommand() })
    }

    package func content(ofModule name: String) async throws(AerospikeError) -> [UInt8] {
        let command = try FunctionModule.contentCommand(name)
        return try FunctionModule.parseContent(try await askOne { _ in command })
    }

    package func removeModule(_ name: String) async throws(AerospikeError) {
        let command = try FunctionModule.removeCommand(name)
        try FunctionModule.check(try await askOne { _ in command })
    }

    /// Waits until every node has the same content of a module, or none has any.
    ///
    /// The node that was given the module has answered only when it had it, so what all have is the new one.
    package func waitUntilEverywhere(
        module name: String,
        isThere: Bool = true,
        timeout: Duration
    ) async throws(AerospikeError) {
        let seen = Seen()
        try await poll(timeout, for: "the module \(name)", beginning: { seen.hashes = [] }) {
            node throws(AerospikeError) in
            let command = try FunctionModule.listCommand()
            let modules = try FunctionModule.parseList(try command.value(in: await node.answers(command)))
            guard let module = modules.first(where: { $0.name == name }) else { return !isThere }
            seen.hashes.insert(module.hash)
            guard isThere, seen.hashes.count == 1 else { return false }
            // A node lists a module a moment before it has written the file that it runs.
            let content = try FunctionModule.contentCommand(name)
            do throws(AerospikeError) {
                _ = try FunctionModule.parseContent(try content.answer(in: await node.answers(content)))
                return true
            } catch {
                guard error.code == .notFound else { throw error }
                return false
            }
        }
    }

    /// What one look at all nodes has found.
    private final class Seen {
        var hashes: Set<String> = []
    }

    // MARK: Background queries

    /// How far a query in the background has come, by the names of the nodes.
    package func progress(ofTask taskID: UInt64) async throws(AerospikeError) -> [String: BackgroundProgress] {
        var progress: [String: BackgroundProgress] = [:]
        for node in try await nodes() {
            progress[node.name] = try await self.progress(ofTask: taskID, on: node)
        }
        return progress
    }

    /// Waits until every node is done with a query in the background.
    package func waitUntilDone(task taskID: UInt64, timeout: Duration) async throws(AerospikeError) {
        try await poll(timeout, for: "the query \(taskID)") { node throws(AerospikeError) in
            try await progress(ofTask: taskID, on: node).isDone
        }
    }

    private func progress(ofTask taskID: UInt64, on node: Node) async throws(AerospikeError) -> BackgroundProgress {
        let command = try BackgroundProgress.command(taskID: taskID, node.version)
        return try BackgroundProgress(parsing: try command.answer(in: await node.answers(command)))
    }

    // MARK: Configuration

    /// What every node has configured for a namespace, by the names of the nodes.
    package func configuration(
        ofNamespace namespace: String
    ) async throws(AerospikeError) -> [String: ServerConfiguration] {
        var configurations: [String: ServerConfiguration] = [:]
        for node in try await nodes() {
            let command = try ServerConfiguration.command(namespace: namespace, node.version)
            let text = try command.value(in: await node.answers(command))
            configurations[node.name] = ServerConfiguration(parsing: text)
        }
        return configurations
    }

    // MARK: Asking

    /// Has one node do what it then spreads, and makes sure that it did.
    private func carryOut(
        _ command: (ServerVersion) throws(AerospikeError) -> InfoCommand
    ) async throws(AerospikeError) {
        let answer = try await askOne(command)
        guard answer.lowercased() == "ok" else { throw AerospikeError(.server, "The server says: \(answer).") }
    }

    /// Asks one node after the other until one can be reached; all that is asked this way may as well be done twice.
    private func askOne(
        _ command: (ServerVersion) throws(AerospikeError) -> InfoCommand
    ) async throws(AerospikeError) -> String {
        var failure = AerospikeError(.invalidNode, "No node of the cluster is known.")
        for node in try await nodes().shuffled() {
            let command = try command(node.version)
            do throws(AerospikeError) {
                return try command.value(in: await node.answers(command))
            } catch {
                guard error.code == .connection else { throw error }
                failure = error
            }
        }
        throw failure
    }

    /// Asks all nodes again and again until each says yes.
    private func poll(
        _ timeout: Duration,
        for what: String,
        beginning: () -> Void = {},
        _ isDone: (Node) async throws(AerospikeError) -> Bool
    ) async throws(AerospikeError) {
        let deadline = clock.now.advanced(by: timeout)
        var pause = Duration.milliseconds(5)
        var failure: AerospikeError?
        while true {
            beginning()
            var areAllDone = true
            do throws(AerospikeError) {
                for node in try await nodes() where areAllDone {
                    areAllDone = try await isDone(node)
                }
            } catch {
                // A node that cannot be reached may be back soon, or no longer be of the cluster.
                guard error.code == .connection else { throw error }
                areAllDone = false
                failure = error
            }
            if areAllDone {
                return
            }
            guard clock.now < deadline else {
                throw AerospikeError(
                    .timeout,
                    "Not all nodes were done with \(what) within \(timeout).",
                    cause: failure
                )
            }
            do {
                try await clock.sleep(until: min(clock.now.advanced(by: pause), deadline), tolerance: nil)
            } catch {
                throw AerospikeError(.cancelled, cause: error)
            }
            pause = min(pause * 2, .milliseconds(500))
        }
    }
}

/// What a node is configured with, by the names of its configuration file.
///
/// ```swift
/// let configuration = try await client.configuration(ofNamespace: "test")
/// configuration.integer("replication-factor")
/// ```
public struct ServerConfiguration: Sendable, Hashable {
    /// All values as the node wrote them.
    public let values: [String: String]

    package init(parsing text: String) {
        values = InfoPairs(text).values
    }

    /// A value as the node wrote it; nil if there is none of the name.
    public subscript(name: String) -> String? { values[name] }

    /// A value that is a number; nil if there is none.
    public func integer(_ name: String) -> Int? {
        values[name].flatMap { Int($0) }
    }

    /// A value that is `true` or `false`; nil if there is none.
    public func boolean(_ name: String) -> Bool? {
        values[name].flatMap { Bool($0) }
    }

    /// The command that asks for the configuration of a namespace.
    package static func command(namespace: String, _ version: ServerVersion) throws(AerospikeError) -> InfoCommand {
        try InfoCommand(
            "get-config",
            ["context": "namespace", version >= IndexDefinition.newCommands ? "namespace" : "id": namespace]
        )
    }
}

package import Aerospike

/// What every node of a cluster is told and keeps: the secondary indexes, the programs, and the functions that take the
/// programs' place (aerospike-server 8.1, base/smd.c).
package struct SystemMetadata: Sendable {
    /// A program as it was registered.
    package struct Program: Sendable, Hashable {
        package var type: String
        package var contentBase64: String
    }

    /// The indexes of each namespace, in the order in which they were made.
    package var indexes: [String: [SecondaryIndex]] = [:]
    /// The programs, by the name of their file.
    package var programs: [String: Program] = [:]
    package var functions: [FunctionName: StoredFunction] = [:]

    package init() {}

    /// Tells a namespace that begins empty.
    package func apply(to store: inout NamespaceStore) {
        for index in indexes[store.name] ?? [] {
            // It was taken when it was made, and nothing has become less since.
            try? store.createIndex(index)
        }
        for (name, function) in functions {
            store.registerFunction(name, function)
        }
    }
}

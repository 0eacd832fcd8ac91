import Aerospike

/// What every node of a cluster is told and keeps: the secondary indexes, the programs, and the functions that take the
/// programs' place (aerospike-server 8.1, base/smd.c).
package struct SystemMetadata: Sendable {
    /// A program as it was registered.
    package struct Program: Sendable, Hashable {
        package var type: String
        package var contentBase64: String

        /// A number for the content, in the form of the server's SHA-1.
        package var hash: String {
            let sum = contentBase64.utf8.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
            let digits = String(sum, radix: 16)
            return String(repeating: "0", count: 40 - digits.count) + digits
        }
    }

    /// That records written before some time are gone.
    package struct Truncation: Sendable, Hashable {
        package var namespace: String
        /// The set; nil for the whole namespace.
        package var setName: String?
        package var beforeNanoseconds: Int64

        /// Whether a record goes by it.
        package func removes(_ record: StoredRecord) -> Bool {
            record.lastUpdateNanoseconds < beforeNanoseconds && (setName == nil || setName == record.key.setName)
        }
    }

    /// The indexes of each namespace, in the order in which they were made.
    package var indexes: [String: [SecondaryIndex]] = [:]
    /// The programs, by the name of their file.
    package var programs: [String: Program] = [:]
    package var truncations: [Truncation] = []
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

public import BeanspikeCore
import EmbeddedStore

/// How a store is opened; each store takes what concerns it.
public struct StoreOptions: Equatable, Sendable {
    /// When an acknowledged change is on disk (embedded).
    public var durability: StoreDurability
    /// The size at which a journal file is full, in bytes, or nil for the store's own (embedded, `-s`).
    public var journalFileBytesMax: UInt64?

    /// Options.
    public init(durability: StoreDurability = .committed, journalFileBytesMax: UInt64? = nil) {
        self.durability = durability
        self.journalFileBytesMax = journalFileBytesMax
    }
}

extension StoreLocation {
    /// Opens the store.
    ///
    /// - Parameter options: How.
    /// - Returns: The open store; whoever opened it closes it.
    /// - Throws: `JobStoreError` with what is wrong with the place and how to mend it.
    public func open(_ options: StoreOptions = StoreOptions()) async throws(JobStoreError) -> any JobStore {
        switch self {
        case .memory:
            return try EmbeddedStore.inMemory()
        case .embedded(let directory):
            var embedded = EmbeddedStore.Options()
            embedded.durability =
                switch options.durability {
                case .committed: .committed
                case .every(let milliseconds): .everyMilliseconds(milliseconds)
                case .never: .never
                }
            if let bytes = options.journalFileBytesMax { embedded.fileBytesMax = bytes }
            return try EmbeddedStore.open(directory: directory, options: embedded)
        case .aerospike:
            throw JobStoreError(
                .cannotOpen,
                "cannot open \(self): Aerospike is not in this build yet. Use embedded:DIR or memory:."
            )
        }
    }
}

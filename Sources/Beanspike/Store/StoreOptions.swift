/// How a store is opened; each store takes what concerns it.
public struct StoreOptions: Equatable, Sendable {
    /// When an acknowledged change is on disk (embedded).
    public var durability: StoreDurability
    /// The size at which a journal file is full, in bytes, or nil for the store's own (embedded, `-s`).
    public var journalFileBytesMax: UInt64?

    /// How long to go on trying while the cluster cannot be reached; 30 s by default (Aerospike).
    public var openTimeout = Duration.seconds(30)
    /// Where the messages of other processes of the queue are taken; found out by default (Aerospike).
    public var peerListening = PeerListening.automatic
    /// The host under which the other processes reach this one; nil, the default, for the address that it listens on
    /// (Aerospike).
    public var advertisedPeerHost: String?
    /// After which silence the other processes take this one for dead and give its jobs out, 200 ms to an hour; 2 s by
    /// default (Aerospike).
    public var deathInterval = Duration.seconds(2)
    /// What the names of the queue's sets begin with, so that several queues can share a namespace; empty by default
    /// (Aerospike).
    public var setPrefix = ""
    /// Whether to go on with a namespace whose settings may lose acknowledged jobs; false by default (Aerospike).
    public var acceptsRisks = false

    /// Options.
    ///
    /// - Parameters:
    ///   - durability: when an acknowledged change is on disk (embedded).
    ///   - journalFileBytesMax: the size of a journal file in bytes; nil for the store's own (embedded).
    public init(durability: StoreDurability = .committed, journalFileBytesMax: UInt64? = nil) {
        self.durability = durability
        self.journalFileBytesMax = journalFileBytesMax
    }
}

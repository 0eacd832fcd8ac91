/// The bounds of the protocol and of this client, in one place.
public enum AerospikeLimits {
    /// The longest name of a bin, in bytes (aerospike-server 8.1, base/datamodel.h: `AS_BIN_NAME_MAX_SZ` less one).
    public static let binNameBytesMax = 15

    /// The longest name of a namespace, in bytes (aerospike-server 8.1, base/datamodel.h).
    public static let namespaceBytesMax = 31

    /// The longest name of a set, in bytes (aerospike-server 8.1, base/datamodel.h).
    public static let setNameBytesMax = 63

    /// The most operations in one request: their count is sent in 16 bits (aerospike-server 8.1, base/proto.h).
    public static let operationsMax = Int(UInt16.max)

    /// The longest message in either direction, in bytes (aerospike-server 8.1, base/proto.h: `PROTO_SIZE_MAX`).
    public static let messageBytesMax = 128 * 1024 * 1024

    /// The longest list or map that this client reads out of a reply, in bytes of MessagePack.
    ///
    /// A record has at most 8 MiB (aerospike-server 8.1, max-record-size), so no answer about one comes near. What is
    /// read takes up to 32 times as much memory, which a hostile peer could otherwise make 4 GiB with one message.
    public static let collectionBytesMax = 16 * 1024 * 1024

    /// The deepest nesting of lists and maps that this client reads.
    ///
    /// A decoder that followed a hostile peer any deeper would exhaust its stack.
    public static let nestingDepthMax = 128

    /// The most requests in flight on one connection; more wait for room.
    public static let requestsInFlightMax = 1024

    /// The most bytes of requests in flight on one connection; a request that is larger goes alone.
    public static let bytesInFlightMax = 8 * 1024 * 1024

    /// The most calls that wait for room on one connection; more fail with ``ResultCode/queueFull``.
    public static let callsWaitingMax = 65536

    /// The most nodes of a cluster that this client takes note of; no cluster is larger.
    public static let nodesMax = 256

    /// The most addresses of one node that this client tries.
    public static let addressesPerNodeMax = 16

    /// The most namespaces whose partitions this client keeps; no server has more.
    public static let namespacesMax = 32

    /// The most replicas of a partition whose nodes this client keeps; there may be more.
    public static let replicasMax = 8
}

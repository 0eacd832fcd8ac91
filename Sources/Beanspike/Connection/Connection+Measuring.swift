public import Aerospike
@_spi(Measuring) import AerospikeStore

extension Connection {
    /// The store's own client, where the store is on a cluster: what the queue costs is measured beside plain calls of it.
    @_spi(Measuring) public var aerospikeClient: AerospikeClient? { (store as? AerospikeStore)?.client }
}

import Aerospike

extension AerospikeStore {
    /// The event loop that the store and its connections to the cluster run on.
    public var executor: (any TaskExecutor)? { engine.client.executor }
}

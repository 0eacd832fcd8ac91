import Aerospike

extension NamespaceStore {
    /// Makes a secondary index.
    ///
    /// - Throws: ``Refusal`` with ``ResultCode/indexFound`` if there is one of the name that indexes something else, or
    ///   ``ResultCode/indexMaxCount``.
    package mutating func createIndex(_ index: SecondaryIndex) throws(Refusal) {
        if let known = indexes[index.name] {
            guard known == index else { throw Refusal(.indexFound, "an index of that name, of something else") }
            return
        }
        guard indexes.count < configuration.indexesMax else { throw Refusal(.indexMaxCount) }
        indexes[index.name] = index
    }

    /// Drops a secondary index; whether there was one of the name.
    @discardableResult
    package mutating func dropIndex(_ indexName: String) -> Bool {
        indexes.removeValue(forKey: indexName) != nil
    }
}

import Aerospike

extension NamespaceStore {
    /// Makes a secondary index, which is ready at once.
    ///
    /// An index that indexes the same under another name is renamed, as a server does (aerospike-server 8.1,
    /// sindex/sindex.c, `smd_create`).
    ///
    /// - Throws: ``Refusal`` with ``ResultCode/indexFound`` if there is one of the name that indexes something else, or
    ///   ``ResultCode/indexMaxCount`` or ``ResultCode/invalidRequest``.
    package mutating func createIndex(_ index: SecondaryIndex) throws(Refusal) {
        guard (1..<SecondaryIndex.nameBytesMax).contains(index.name.utf8.count) else {
            throw Refusal(.invalidRequest, "an index's name of \(index.name.utf8.count) bytes")
        }
        if let known = indexes[index.name] {
            guard known == index else { throw Refusal(.indexFound, "an index of that name, of something else") }
            return
        }
        if let same = indexes.values.first(where: { $0.indexesTheSame(as: index) }) {
            indexes[same.name] = nil
        }
        guard indexes.count < configuration.indexesMax else {
            throw Refusal(.indexMaxCount, "\(indexes.count) indexes")
        }
        if let setName = index.setName {
            try enter(set: setName)
        }
        indexes[index.name] = index
    }

    /// Drops a secondary index; whether there was one of the name.
    @discardableResult
    package mutating func dropIndex(_ indexName: String) -> Bool {
        indexes.removeValue(forKey: indexName) != nil
    }

    /// How many values of how many records an index holds, which is counted anew.
    package func indexStatistics(
        _ indexName: String,
        nowNanoseconds: Int64
    ) -> (values: Int, records: Int)? {
        guard let index = indexes[indexName] else { return nil }
        let now = ServerTime(nanoseconds: nowNanoseconds)
        var count = (values: 0, records: 0)
        for partition in partitions {
            for record in partition.values {
                let values = (try? index.values(of: record, now)) ?? []
                count.values += values.count
                count.records += values.isEmpty ? 0 : 1
            }
        }
        return count
    }

    /// The index that a query is to use.
    func index(for range: QueryMessage.Range, setName: String) throws(Refusal) -> SecondaryIndex {
        let found: SecondaryIndex?
        if let indexName = range.indexName {
            found = indexes[indexName]
        } else {
            // One of the set is better than one of every set (sindex/sindex.c, `as_sindex_lookup_by_defn`).
            found = matching(range, setName: setName.isEmpty ? nil : setName) ?? matching(range, setName: nil)
        }
        guard let found else { throw Refusal(.indexNotFound) }
        return found
    }

    private func matching(_ range: QueryMessage.Range, setName: String?) -> SecondaryIndex? {
        var wanted = SecondaryIndex(
            name: "",
            set: setName,
            bin: range.binName,
            type: range.type,
            collection: range.collection,
            context: range.context,
            expression: range.expression
        )
        return indexes.values.first { index in
            wanted.name = index.name
            return wanted == index
        }
    }
}

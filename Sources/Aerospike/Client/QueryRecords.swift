import NIOCore

extension AerospikeClient {
    /// Finds records.
    ///
    /// They come in no particular order, each once unless it is written while the query runs, and not all at once: some are
    /// fetched ahead of their use, from all nodes at the same time. A node that fails is asked again, or whoever takes its
    /// place, from where it stopped.
    ///
    /// - Parameters:
    ///   - query: what is wanted.
    ///   - cursor: where an earlier query stopped, to go on there; see ``QueryRecords/Iterator/cursor``.
    /// - Returns: the records.
    public func query(_ query: Query, from cursor: QueryCursor? = nil) -> QueryRecords {
        QueryRecords(client: self, query: query, cursor: cursor ?? QueryCursor(query.partitions))
    }
}

/// The records that a query finds.
public struct QueryRecords: AsyncSequence, Sendable {
    /// A record and its key, whose own user key is known only if it was stored.
    public typealias Element = (key: Key, record: Record)

    let client: AerospikeClient
    let query: Query
    let cursor: QueryCursor

    /// Begins the query.
    public func makeAsyncIterator() -> Iterator {
        Iterator(client: client, query: query, cursor: cursor)
    }

    /// Goes through the records.
    public struct Iterator: AsyncIteratorProtocol {
        private let client: AerospikeClient
        private let query: Query
        /// How far what was fetched has come.
        private var fetched: QueryCursor
        /// How far what was returned has come, to go on from later.
        public private(set) var cursor: QueryCursor
        private var page: [QueryPage.Item] = []
        private var place = 0
        private var returnedCount = 0
        private var pageRecords = 128
        private var failureCount = 0
        private let connections = SideConnections()

        init(client: AerospikeClient, query: Query, cursor: QueryCursor) {
            self.client = client
            self.query = query
            self.cursor = cursor
            fetched = cursor
        }

        /// The next record; nil at the end.
        ///
        /// - Throws: ``AerospikeError``; the ``cursor`` stays good.
        public mutating func next() async throws(AerospikeError) -> Element? {
            while true {
                while place < page.count {
                    if let most = query.recordsMax, returnedCount >= most { return nil }
                    defer { place += 1 }
                    switch page[place] {
                    case .record(let key, let record, let indexedValue):
                        cursor.returned(key.digest, indexedValue: indexedValue)
                        returnedCount += 1
                        return (key, record)
                    case .done(let partition): cursor.finished(partition)
                    }
                }
                page = []
                place = 0
                if let most = query.recordsMax, returnedCount >= most { return nil }
                if fetched.isDone { return nil }
                try await fetch()
            }
        }

        private mutating func fetch() async throws(AerospikeError) {
            let all = 0..<Digest.partitionCount
            guard query.partitions.clamped(to: all) == query.partitions else {
                throw .invalid("A namespace has the partitions \(all), not \(query.partitions).")
            }
            var most = pageRecords
            if let recordsMax = query.recordsMax {
                most = Swift.min(most, recordsMax - returnedCount)
            }
            let asked = most
            let outcome: QueryPage
            if client.instruments.areOn {
                let (client, query, fetched, connections) = (client, query, fetched, connections)
                outcome = try await client.instruments.observe(
                    .query,
                    namespace: query.namespace,
                    setName: query.setName
                ) { () throws(AerospikeError) in
                    try await client.fetch(query, fetched, recordsMax: asked, connections)
                }
            } else {
                outcome = try await client.fetch(query, fetched, recordsMax: asked, connections)
            }
            page = outcome.items
            for item in page {
                switch item {
                case .record(let key, _, let indexedValue): fetched.returned(key.digest, indexedValue: indexedValue)
                case .done(let partition): fetched.finished(partition)
                }
            }
            if outcome.recordCount > 0 {
                let each = Swift.max(1, outcome.byteCount / outcome.recordCount)
                pageRecords = Swift.min(Swift.max(16, query.pageBytes / each), 65536)
            }
            guard let failure = outcome.failure else {
                if outcome.items.isEmpty {
                    // A node that says that it is done without having done a partition is asked again, but not for ever.
                    try await pause(AerospikeError(.partitionUnavailable))
                } else {
                    failureCount = 0
                }
                return
            }
            guard failure.code.isTransient else { throw failure }
            if !page.isEmpty {
                failureCount = 0
            }
            try await pause(failure)
        }

        private mutating func pause(_ failure: AerospikeError) async throws(AerospikeError) {
            failureCount += 1
            let policy = ResolvedCallPolicy(query.call, client: client.configuration.call)
            guard failureCount < Swift.max(1, policy.triesMax) else { throw failure }
            client.cluster.requestTend()
            let pause = policy.pause(afterFailures: failureCount)
            do {
                try await Task.sleep(for: .nanoseconds(pause.nanoseconds))
            } catch {
                throw AerospikeError(.cancelled, cause: failure)
            }
        }
    }
}

import Aerospike
import BeanspikeCore

/// What is left to know of segments that are over.
package struct RetiredTotals: Sendable, Equatable {
    /// Jobs ever put.
    package var puts = 0
    /// Jobs deleted by command.
    package var deletes = 0
    /// Reservations whose time ran out.
    package var timeouts = 0

    /// None.
    package init(puts: Int = 0, deletes: Int = 0, timeouts: Int = 0) {
        self.puts = puts
        self.deletes = deletes
        self.timeouts = timeouts
    }

    static let bins = ["tp", "td", "tt"]

    var amounts: [Int] { [puts, deletes, timeouts] }

    init(_ record: Record) {
        self.init(puts: record.int("tp") ?? 0, deletes: record.int("td") ?? 0, timeouts: record.int("tt") ?? 0)
    }

    static func += (left: inout RetiredTotals, right: RetiredTotals) {
        left.puts &+= right.puts
        left.deletes &+= right.deletes
        left.timeouts &+= right.timeouts
    }
}

/// A segment that is live, and where.
package struct LiveSegment: Sendable, Hashable {
    /// Its place in the directory.
    package let position: Int
    /// Its number.
    package let segment: Int
}

// MARK: Segments that end

extension TubeDirectory {
    /// Takes a segment out of the directory, and adds what is left to know of it to the tube's totals.
    ///
    /// The segment takes no more puts, has no jobs, and says so in its record. Repetitions and late duplicates do nothing.
    ///
    /// - Parameters:
    ///   - segment: its number.
    ///   - position: its place.
    ///   - totals: what happened in it.
    /// - Returns: whether it was live there; without meaning after a repetition.
    /// - Throws: `AerospikeError`.
    @discardableResult
    package func retire(_ segment: Int, at position: Int, totals: RetiredTotals) async throws -> Bool {
        let place = Place(position)
        let offset = Value.integer(Int64(place.offset))
        var operations: [Operation] = [.map("live").put(offset, .integer(Int64(-segment)))]
        operations += DirectoryKind.allCases.map { ListedMap.remove($0, at: place.offset) }
        operations += zip(RetiredTotals.bins, totals.amounts).filter { $0.1 != 0 }.map { .add($0.0, $0.1) }
        return try await calls.change(leafKey(place.leaf), operations, if: place.isLive(segment)) != nil
    }

    /// Whether a segment was live at a place and is not any more, or another one is live there.
    ///
    /// False where the leaf is not found: what it would say is not known then.
    package func isRetired(_ segment: Int, at position: Int) async throws -> Bool {
        let place = Place(position)
        let reading = [Operation.map("live").get(.key(.integer(Int64(place.offset)))), .get("eb")]
        guard let last = try await calls.read(leafKey(place.leaf), reading)?.int("live") else { return false }
        return last != segment
    }

    /// Whether a segment is live at a place: one that is not is dead, whatever its record says.
    package func isLive(_ segment: Int, at position: Int) async throws -> Bool {
        let place = Place(position)
        let reading = [Operation.map("live").get(.key(.integer(Int64(place.offset)))), .get("eb")]
        return try await calls.read(leafKey(place.leaf), reading)?.int("live") == segment
    }
}

// MARK: All of a tube

extension TubeDirectory {
    /// All live segments, a leaf at a time.
    ///
    /// One that is added meanwhile may be left out, one that is retired meanwhile may still be there.
    package func liveSegments() async throws -> LiveSegments {
        LiveSegments(directory: self, leaves: try await leaves())
    }

    /// What is left to know of the segments that are over, since the tube was last forgotten.
    package func totals() async throws -> RetiredTotals {
        let forgotten = try await readRoot([.get("ft")])["ft"]?.list ?? []
        var totals = try await allTotals()
        if forgotten.count == RetiredTotals.bins.count {
            let amounts = forgotten.map { Int($0.integer ?? 0) }
            totals += RetiredTotals(puts: -amounts[0], deletes: -amounts[1], timeouts: -amounts[2])
        }
        return totals
    }

    /// What is left to know of all segments that are over.
    func allTotals() async throws -> RetiredTotals {
        var totals = RetiredTotals()
        for leaves in try await leaves().chunks(of: Self.batchMax) {
            for case let record? in try await calls.read(leaves.map(leafKey), RetiredTotals.bins.map { .get($0) }) {
                totals += RetiredTotals(record)
            }
        }
        return totals
    }

    /// The leaves that there are.
    func leaves() async throws -> [Int] { Self.leaves(try await readRoot([.get("lv")])) }

    private static func leaves(_ root: Record) -> [Int] {
        (root["lv"]?.map ?? Value.Map()).compactMap { $0.key.integer.map { Int($0) } }.sorted()
    }

    /// The live segments of a leaf.
    func liveSegments(ofLeaf leaf: Int) async throws -> [LiveSegment] {
        guard let live = try await calls.read(leafKey(leaf), [.get("live")])?["live"]?.map else { return [] }
        return live.compactMap { offset, segment in
            guard let offset = offset.integer, let segment = segment.integer, segment > 0 else { return nil }
            return LiveSegment(position: Place(leaf: leaf, offset: Int(offset)).position, segment: Int(segment))
        }
    }

    /// The most records in one batch.
    static var batchMax: Int { 64 }
}

/// The live segments of a tube, a leaf at a time; each is read when it is asked for.
package struct LiveSegments: AsyncSequence, Sendable {
    let directory: TubeDirectory
    let leaves: [Int]

    package struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let directory: TubeDirectory
        fileprivate var leaves: ArraySlice<Int>

        package mutating func next() async throws -> [LiveSegment]? {
            guard let leaf = leaves.popFirst() else { return nil }
            return try await directory.liveSegments(ofLeaf: leaf)
        }
    }

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(directory: directory, leaves: leaves[...])
    }
}

extension Array {
    /// The elements in order, so many at a time.
    func chunks(of count: Int) -> [ArraySlice<Element>] {
        stride(from: 0, to: self.count, by: count).map { self[$0..<Swift.min($0 + count, self.count)] }
    }
}

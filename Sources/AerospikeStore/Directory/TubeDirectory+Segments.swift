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

// MARK: Segments that come and go

extension TubeDirectory {
    /// Takes a new segment into the directory and lists its ready jobs.
    ///
    /// Its record is made before, with the key as its mark and 0 as its epoch, and nobody is told of it before this
    /// returns. If this throws, the segment may be live or not and must not be used: take another number. The sweep finds
    /// what is live and empty, and retires it.
    ///
    /// A place keeps the number of the last segment that was live there, with a minus sign, and takes only a greater one.
    /// So a late duplicate brings no segment back, and a repetition finds what it did.
    ///
    /// Three round trips: a place, the leaf, the tube's record.
    ///
    /// - Parameters:
    ///   - segment: the segment's number, from 1 up, which was never in a directory.
    ///   - key: the least key that a ready job of it may have as long as its mark is the first.
    /// - Returns: its place.
    /// - Throws: `AerospikeError`; `JobStoreError` with `limitReached` if every place is taken.
    package func add(_ segment: Int, key: DirectoryKey) async throws -> Int {
        var fullLeaves = 0
        while fullLeaves <= StoreLimits.leavesMax {
            let (place, next) = try await takePlace()
            if try await add(segment, at: place, key: key) { return place.position }
            if let free = try await freePlace(for: segment, in: place.leaf) {
                if try await add(segment, at: free, key: key) { return free.position }
            } else {
                fullLeaves += 1
                try await skipLeaf(after: next)
            }
        }
        throw JobStoreError(
            .limitReached,
            "The tube '\(tube)' has all \(Place.count) segments that its directory takes. "
                + "Let consumers delete jobs, kick or delete buried ones, or put further jobs into another tube."
        )
    }

    /// Takes a segment into the directory at a place.
    ///
    /// - Returns: false if the place is taken.
    func add(_ segment: Int, at place: Place, key: DirectoryKey) async throws -> Bool {
        let live = Exp<Value.Map>.map(bin: "live")
        let last = live.get(.key(place.offset), .value(Int.self))
        let isFree = !live.get(.key(place.offset), .exists) || (last < 0 && last > Exp(-segment))
        let operations: [Operation] =
            [.map("live").put(.integer(Int64(place.offset)), .integer(Int64(segment)))]
            + ListedMap.put(.ready, at: place.offset, key, [.integer(Int64(segment))]) + LeafMark.read(.ready)
        let reading = [.map("live").get(.key(.integer(Int64(place.offset))))] + LeafMark.read(.ready)
        var answer: Record?
        for _ in 0..<Self.turnsMax where answer == nil {
            answer = try await calls.change(leafKey(place.leaf), operations, if: isFree)
            guard answer == nil else { break }
            guard let record = try await calls.read(leafKey(place.leaf), reading) else {
                try await makeLeaf(place.leaf)
                continue
            }
            // Of an earlier try, whose reply was lost.
            if record.int("live") == segment { answer = record }
            // Otherwise the place is somebody else's, or the leaf was made since.
            if let last = record.int("live"), last > 0 || last <= -segment { break }
        }
        guard var mark = answer.map({ LeafMark($0, .ready) }) else { return false }
        // The root is written in any case: that is what forgetting a tube goes by.
        let isListed = mark.key.map { $0 <= key } ?? false
        let root = try await changeRoot(ListedMap.lower(.ready, at: place.leaf, to: key) + Registration.read)
        if !isListed, try await !setMark(.ready, leaf: place.leaf, key, epoch: mark.epoch) {
            guard let record = try await calls.read(leafKey(place.leaf), LeafMark.read(.ready)) else { throw isGone }
            mark = LeafMark(record, .ready)
            try await cover(.ready, leaf: place.leaf, key, mark)
        }
        if !Registration(root).isListed { try await register() }
        return true
    }

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

// MARK: Places

extension TubeDirectory {
    /// The next place of the ring, and the number of the one after it.
    private func takePlace() async throws -> (Place, Int) {
        guard let next = try await changeRoot([.add("next", 1), .get("next")]).flatMap({ $0.int("next") }) else {
            throw isGone
        }
        return (Place(next - 1), next)
    }

    /// A place of a leaf that takes a segment.
    private func freePlace(for segment: Int, in leaf: Int) async throws -> Place? {
        guard let live = try await calls.read(leafKey(leaf), [.get("live")])?["live"]?.map else { return nil }
        let last = live.dictionary
        let offsets = (0..<StoreLimits.leafSegments).filter { offset in
            guard let last = last[.integer(Int64(offset))]?.integer else { return true }
            return last < 0 && last > -Int64(segment)
        }
        // Any of them, so that who looks at the same time finds another.
        return offsets.randomElement().map { Place(leaf: leaf, offset: $0) }
    }

    /// Moves the ring on to the next leaf, unless somebody moved it.
    private func skipLeaf(after next: Int) async throws {
        let leaf = StoreLimits.leafSegments
        let target = (next + leaf - 1) / leaf * leaf
        guard target > next else { return }
        _ = try await changeRoot([.put("next", .integer(Int64(target)))], if: .int(bin: "next") == Exp(next))
    }

    /// Makes a leaf: the root has to know of it before it can have a segment.
    private func makeLeaf(_ leaf: Int) async throws {
        _ = try await changeRoot([.map("lv").put(.integer(Int64(leaf)), 1)])
        let operations: [Operation] =
            ListedMap.creation + DirectoryKind.allCases.map { .put($0.epochBin, 0) }
            + [.map("live").create(order: .keyOrdered)]
        try await calls.create(leafKey(leaf), operations)
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

import Aerospike
import BeanspikeCore

/// A segment that was made for a place, and is in no directory yet.
package struct NewSegment: Sendable, Hashable {
    /// Its number, from 1 up, which was never in a directory.
    package let segment: Int
    /// The place that it is to have, or none.
    package let position: Int
    /// The least key that a ready job of it may have as long as its mark is the first.
    package let key: DirectoryKey

    /// A segment for a place.
    package init(_ segment: Int, at position: Int, key: DirectoryKey) {
        self.segment = segment
        self.position = position
        self.key = key
    }
}

// MARK: New segments

extension TubeDirectory {
    /// Takes new segments into the directory, each at its place, and lists their ready jobs.
    ///
    /// Their records are made before, with their keys as marks and 0 as their epochs, and nobody is told of them before this
    /// returns. One that is left out, as all are if this throws, may be live at its place or not and must not be used, here
    /// or elsewhere: take another number. The sweep finds what is live and empty, and retires it.
    ///
    /// A place keeps the number of the last segment that was live there, with a minus sign, and takes only a greater one.
    /// So a late duplicate brings no segment back, and a repetition finds what it did. A late duplicate of what was refused
    /// finds the only place that the number was ever tried at.
    ///
    /// Two round trips for those of one leaf: the leaf, the tube's record.
    ///
    /// - Parameter segments: the segments, at places that ``takePlaces(_:looks:)`` returned.
    /// - Returns: those that the directory has now; the places of the others are taken.
    /// - Throws: `AerospikeError`, if nothing was added.
    package func add(_ segments: [NewSegment]) async throws -> [NewSegment] {
        var added: [NewSegment] = []
        var failure: (any Error)?
        for leaf in Set(segments.map { Place($0.position).leaf }).sorted() {
            let part = segments.filter { Place($0.position).leaf == leaf }
            do {
                if try await add(part, toLeaf: leaf) {
                    added += part
                } else if part.count > 1 {
                    // One place that is taken is enough for all to be refused.
                    for segment in part where try await add([segment], toLeaf: leaf) { added.append(segment) }
                }
            } catch {
                // What was added before can be used.
                failure = error
            }
        }
        if added.isEmpty, let failure { throw failure }
        return added
    }

    /// Takes a segment into the directory at a place.
    ///
    /// - Returns: false if the place is taken.
    func add(_ segment: Int, at place: Place, key: DirectoryKey) async throws -> Bool {
        try await add([NewSegment(segment, at: place.position, key: key)], toLeaf: place.leaf)
    }

    /// Takes segments of one leaf into the directory, all or none.
    ///
    /// - Returns: false if a place is taken.
    private func add(_ segments: [NewSegment], toLeaf leaf: Int) async throws -> Bool {
        guard let key = segments.map(\.key).min(), var mark = try await enter(segments, leaf) else { return false }
        // The root is written in any case: that is what forgetting a tube goes by.
        let isListed = mark.key.map { $0 <= key } ?? false
        let root = try await changeRoot(ListedMap.lower(.ready, at: leaf, to: key) + Registration.read)
        if !isListed, try await !setMark(.ready, leaf: leaf, key, epoch: mark.epoch) {
            guard let record = try await calls.read(leafKey(leaf), LeafMark.read(.ready)) else { throw isGone }
            mark = LeafMark(record, .ready)
            try await cover(.ready, leaf: leaf, key, mark)
        }
        if !Registration(root).isListed { try await register() }
        return true
    }

    /// Writes segments and their entries into their leaf.
    ///
    /// - Returns: the leaf's mark; nil if a place is taken.
    private func enter(_ segments: [NewSegment], _ leaf: Int) async throws -> LeafMark? {
        let areFree = segments.map { Place($0.position).takes($0.segment) }.reduce(Exp<Bool>(true)) { $0 && $1 }
        let offsets = segments.map { Value.integer(Int64(Place($0.position).offset)) }
        let numbers = segments.map { Value.integer(Int64($0.segment)) }
        let entries = segments.map { segment in
            (Place(segment.position).offset, segment.key, [Value.integer(Int64(segment.segment))])
        }
        let operations =
            [.map("live").put(contentsOf: Value.Map(Array(zip(offsets, numbers))))]
            + ListedMap.put(.ready, entries) + LeafMark.read(.ready)
        let reading = [.map("live").get(.keys(in: offsets), returning: .keyValue)] + LeafMark.read(.ready)
        for _ in 0..<Self.turnsMax {
            if let record = try await calls.change(leafKey(leaf), operations, if: areFree) {
                return LeafMark(record, .ready)
            }
            guard let record = try await calls.read(leafKey(leaf), reading) else {
                try await makeLeaf(leaf)
                continue
            }
            let live = record["live"]?.map?.dictionary ?? [:]
            let last = offsets.map { Int(live[$0]?.integer ?? 0) }
            // Of an earlier try, whose reply was lost.
            if zip(last, segments).allSatisfy({ $0 == $1.segment }) { return LeafMark(record, .ready) }
            // Otherwise a place is somebody else's, or the leaf was made since.
            if zip(last, segments).contains(where: { $0 > 0 || $0 <= -$1.segment }) { return nil }
        }
        return nil
    }
}

// MARK: Places

extension TubeDirectory {
    /// Takes places for new segments: the next ones of the ring, or others near them where those are taken.
    ///
    /// One round trip as long as nobody was there before, and then one more. A place that nothing comes to is skipped.
    ///
    /// - Parameters:
    ///   - count: how many are wanted, from 1 up.
    ///   - looks: whether to look for those that are free in any case, as after some that were not.
    /// - Returns: the places: one at the least, and as many as are wanted unless others are in the way.
    /// - Throws: `AerospikeError`; `JobStoreError` with `limitReached` if every place is taken.
    package func takePlaces(_ count: Int, looks: Bool = false) async throws -> [Int] {
        var fullLeaves = 0
        while fullLeaves <= StoreLimits.leavesMax {
            let answer = try await changeRoot([.add("next", count), .get("next")])
            guard let next = answer?.int("next") else { throw isGone }
            let places = (next - count..<next).map { Place($0) }
            // Before the ring comes round nobody was there, unless the cluster lost how far it was.
            guard looks || next > Place.count else { return places.map(\.position) }
            let free = try await freePlaces(near: places)
            if !free.isEmpty { return free.map(\.position) }
            fullLeaves += 1
            try await skipLeaf(after: next)
        }
        throw JobStoreError(
            .limitReached,
            "The tube '\(tube)' has all \(Place.count) segments that its directory takes. "
                + "Let consumers delete jobs, kick or delete buried ones, or put further jobs into another tube."
        )
    }

    /// Which of some places are free, of those in the first one's leaf; if none is, as many others of that leaf.
    ///
    /// Those who look at the same time find others, as a rule: what two take one of them will not have.
    private func freePlaces(near places: [Place]) async throws -> [Place] {
        let own = places.filter { $0.leaf == places[0].leaf }
        guard let live = try await calls.read(leafKey(own[0].leaf), [.get("live")])?["live"]?.map else { return own }
        let last = live.dictionary
        let free = (0..<StoreLimits.leafSegments).filter { last[.integer(Int64($0))]?.integer ?? 0 <= 0 }
        let ownFree = own.filter { free.contains($0.offset) }
        guard ownFree.isEmpty else { return ownFree }
        return free.shuffled().prefix(places.count).map { Place(leaf: own[0].leaf, offset: $0) }
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

import Aerospike
import BeanspikeCore

// MARK: Entries of segments

extension TubeDirectory {
    /// Lists a segment under a key, or a lesser one under which it is listed already; see ``TubeDirectory``.
    ///
    /// One round trip when the leaf itself is listed low enough. It may be repeated.
    ///
    /// - Parameters:
    ///   - kind: by what.
    ///   - position: the segment's place.
    ///   - segment: its number.
    ///   - key: the least key that it may have from now on.
    /// - Returns: whether the segment is live there; if not, nothing was done, and nothing may be put in it.
    /// - Throws: `AerospikeError`.
    package func list(
        _ kind: DirectoryKind,
        at position: Int,
        segment: Int,
        _ key: DirectoryKey
    ) async throws -> Bool {
        let place = Place(position)
        let answer = try await calls.change(
            leafKey(place.leaf),
            ListedMap.lower(kind, at: place.offset, to: key, [.integer(Int64(segment))]) + LeafMark.read(kind),
            if: place.isLive(segment)
        )
        guard let answer else { return false }
        try await cover(kind, leaf: place.leaf, key, LeafMark(answer, kind))
        return true
    }

    /// Puts a greater key in the place of an entry's, or strikes the entry, if it is still the one seen.
    ///
    /// The segment was asked before: step 2 of raising, see ``TubeDirectory``.
    ///
    /// - Parameters:
    ///   - entry: the entry as it was read before the segment was asked.
    ///   - key: a greater key than that; nil to strike the entry.
    /// - Returns: whether it was still there; without meaning after a repetition.
    /// - Throws: `AerospikeError`.
    @discardableResult
    package func raise(_ entry: DirectoryEntry, to key: DirectoryKey?) async throws -> Bool {
        if let key, key <= entry.key { return false }
        let place = Place(entry.position)
        let operations =
            key.map { ListedMap.put(entry.kind, at: place.offset, $0, [.integer(Int64(entry.segment))]) }
            ?? [ListedMap.remove(entry.kind, at: place.offset)]
        let isSame = ListedMap.has(entry.kind, at: place.offset, entry.elements)
        return try await calls.change(leafKey(place.leaf), operations, if: isSame) != nil
    }
}

// MARK: Entries of leaves

extension TubeDirectory {
    /// Lists a leaf in the root under a key at most so great: steps 2 and 3 of listing, until it is so.
    ///
    /// - Parameters:
    ///   - kind: by what.
    ///   - leaf: the leaf.
    ///   - key: the key.
    ///   - mark: the leaf's mark as it was read not later than the entry was made.
    /// - Throws: `AerospikeError`.
    func cover(_ kind: DirectoryKind, leaf: Int, _ key: DirectoryKey, _ mark: LeafMark) async throws {
        var mark = mark
        // Each turn after the first says that somebody raised the mark meanwhile.
        for _ in 0..<Self.turnsMax {
            if let listed = mark.key, listed <= key { return }
            _ = try await changeRoot(ListedMap.lower(kind, at: leaf, to: key))
            if try await setMark(kind, leaf: leaf, key, epoch: mark.epoch) { return }
            guard let record = try await calls.read(leafKey(leaf), LeafMark.read(kind)) else { throw isGone }
            mark = LeafMark(record, kind)
        }
        throw JobStoreError(.writeFailed, "The tube '\(tube)' changes too quickly to list a segment; try again.")
    }

    /// Step 3 of listing a leaf.
    ///
    /// - Returns: false if the leaf has a mark as low, or was raised since the epoch was read.
    func setMark(_ kind: DirectoryKind, leaf: Int, _ key: DirectoryKey, epoch: Int) async throws -> Bool {
        let isSameEpoch = Exp<Int>.int(bin: kind.epochBin) == Exp(epoch)
        let isHigher =
            !Exp<Bool>.exists(bin: kind.markBin)
            || Exp<Value.List>.list(bin: kind.markBin) >= key.elementsAfter(kind)
        let mark = Operation.put(kind.markBin, .list(Value.List(key.elements(kind))))
        return try await calls.change(leafKey(leaf), [mark], if: isSameEpoch && isHigher) != nil
    }

    /// Raises a leaf's entry in the root to the least that the leaf has, or strikes it: steps 2 and 3 of raising.
    ///
    /// - Parameters:
    ///   - entry: the root's entry.
    ///   - least: the least key seen in the leaf since; nil if it had none.
    /// - Returns: whether the root's entry was changed.
    /// - Throws: `AerospikeError`.
    @discardableResult
    func mend(_ entry: RootEntry, least: DirectoryKey?) async throws -> Bool {
        if let least, least <= entry.key { return false }
        guard try await raiseMark(entry.kind, leaf: entry.leaf, least: least) else { return false }
        return try await raiseRoot(entry, to: least)
    }

    /// Step 2 of raising a leaf.
    ///
    /// - Returns: whether the leaf has nothing that is less.
    func raiseMark(_ kind: DirectoryKind, leaf: Int, least: DirectoryKey?) async throws -> Bool {
        let mark: Operation
        if let least {
            let raised = Exp(Value.List(least.elements(kind)))
            let isLess = Exp<Bool>.exists(bin: kind.markBin) && Exp<Value.List>.list(bin: kind.markBin) < raised
            mark = .write(
                .cond((when: isLess, then: raised), otherwise: .unknown),
                to: kind.markBin,
                flags: .evaluationNoFail
            )
        } else {
            mark = .put(kind.markBin, .null)
        }
        let hasNothing = ListedMap.hasNothing(kind, below: least)
        return try await calls.change(leafKey(leaf), [.add(kind.epochBin, 1), mark], if: hasNothing) != nil
    }

    /// Step 3 of raising a leaf.
    func raiseRoot(_ entry: RootEntry, to key: DirectoryKey?) async throws -> Bool {
        let operations =
            key.map { ListedMap.put(entry.kind, at: entry.leaf, $0) } ?? [ListedMap.remove(entry.kind, at: entry.leaf)]
        let isSame = ListedMap.has(entry.kind, at: entry.leaf, entry.elements)
        return try await changeRoot(operations, if: isSame) != nil
    }

    /// How often a change is begun anew because of others.
    static var turnsMax: Int { 100 }
}

/// Under which key a leaf is surely listed, and how often that was raised.
struct LeafMark: Sendable, Equatable {
    var key: DirectoryKey?
    var epoch: Int

    init(_ record: Record, _ kind: DirectoryKind) {
        key = record[kind.markBin]?.list.flatMap { DirectoryKey($0, kind) }
        epoch = record.int(kind.epochBin) ?? 0
    }

    static func read(_ kind: DirectoryKind) -> [Operation] { [.get(kind.markBin), .get(kind.epochBin)] }
}

/// A place in a directory: a leaf, and where in it.
struct Place: Sendable, Equatable {
    let leaf: Int
    let offset: Int

    init(_ position: Int) {
        let position = max(0, position) % Place.count
        leaf = position / StoreLimits.leafSegments
        offset = position % StoreLimits.leafSegments
    }

    init(leaf: Int, offset: Int) {
        self.leaf = leaf
        self.offset = offset
    }

    var position: Int { leaf * StoreLimits.leafSegments + offset }

    /// How many a directory has.
    static var count: Int { StoreLimits.leafSegments * StoreLimits.leavesMax }

    /// Whether a segment is live here.
    func isLive(_ segment: Int) -> Exp<Bool> {
        let live = Exp<Value.Map>.map(bin: "live")
        return live.get(.key(offset), .exists) && live.get(.key(offset), .value(Int.self)) == Exp(segment)
    }

    /// Whether a segment may be live here from now on: no other is, and none with a greater number ever was.
    func takes(_ segment: Int) -> Exp<Bool> {
        let live = Exp<Value.Map>.map(bin: "live")
        let last = live.get(.key(offset), .value(Int.self))
        return !live.get(.key(offset), .exists) || (last < 0 && last > Exp(-segment))
    }
}

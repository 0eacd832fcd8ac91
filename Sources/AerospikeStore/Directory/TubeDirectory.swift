import Aerospike
package import BeanspikeCore

/// Which segments of a tube are live, and what is the least that each may have: ready jobs, due times, burials.
///
/// ## Two levels
///
/// A leaf record has an entry for each of its segments that is listed: a key, the segment, a stamp. The tube's record, the
/// root, has an entry for each leaf that is listed: a key and a stamp. There is one map of entries of each
/// ``DirectoryKind``. A leaf with all segments listed by priority takes about 20 KB (512 × 28 B, and as many × 12 B for
/// what is live), and up to 23 KB more with delayed and buried jobs in every segment; the root 24 B for each leaf listed:
/// 1 KB for 1,000,000 jobs, 25 KB a kind when the ring is full.
///
/// ## A lower bound
///
/// *If a segment has something under a key K then its leaf has an entry for it with a key of at most K, and the root has
/// an entry for that leaf with a key of at most K.* An entry that promises too much costs a look; one that is missing
/// would strand a job. Between each two levels there is the same handshake. The lower level, the *child* (a segment for
/// its leaf, a leaf for the root), keeps a *mark*, the key under which it is surely listed above, or none, and an
/// *epoch*, which counts how often the mark was raised or cleared.
///
/// - **Listing K**: (1) read mark and epoch; if the mark is at most K there is nothing to do. (2) Lower the entry above
///   to at most K: ``list(_:at:segment:_:)`` for a segment. It gets a fresh stamp even if its key was low enough. (3) Set
///   the mark to K if the epoch is still the one read in (1) and there is no mark of at most K; if not, begin again.
/// - **Raising to L** (or striking): (1) read the entry above. (2) In one call on the child: verify that it has nothing
///   under a key less than L (or nothing at all), set the mark to L if there is one and it is less (or clear it), and add
///   1 to the epoch. (3) Replace the entry above if it is exactly the one read, its stamp included:
///   ``raise(_:to:)`` for a segment.
///
/// ### Why no entry is ever missing
///
/// Stamps come from a counter in the record (``ListedMap``), so that no two writes of an entry leave the same, late
/// duplicates among them. Claim A: *while a child has a mark M, the entry above is there and at most M.*
///
/// A mark becomes lower only by listing. When its step 3 sets M, the epoch is the one of step 1. A raise that changed the
/// entry after step 2 must have read the stamp of step 2 or a later one, so that its own call on the child came after
/// step 1 and changed the epoch: there was none. So the entry is at most M when M is set.
///
/// After that the entry is only ever changed upwards by step 3 of a raise. Say its call on the child was at time t and set
/// the mark to L or cleared it. If no listing has set the mark since t, the mark is L or more, or there is none, and the
/// claim holds. If one has, its epoch was read after t, so that its step 2 came after t and after the raise had read its
/// entry: the entry has another stamp, and step 3 of the raise does nothing. A raise that died before step 3 leaves an
/// entry that is too low, which is allowed. A raise never sets a mark where there was none, and never lowers one.
///
/// Claim B: *a key that is in the child, and that was listed to the end, is not less than the mark, and there is a mark.*
/// Listing ends with such a mark. The mark is raised only to L where nothing in the child is less than L, and cleared
/// only where there is nothing at all.
///
/// A and B make the lower bound, for leaf and root here. For segment and leaf the caller keeps mark and epoch in the
/// segment's record, and no job may become ready under a key less than the mark, or without one: such a call refuses,
/// lists, and is made again. A new segment may be made with its mark in it, since nobody knows of it before ``add(_:)``
/// returns. Then whoever dies between any two calls leaves entries too many and none too few. (Whoever makes the job
/// ready first and lists then leaves, when it dies in between, a job without an entry, for the sweep to find.)
///
/// The two levels together: a segment's mark is set after ``list(_:at:segment:_:)`` returned, when the leaf's mark was at
/// most K. The leaf's mark is then raised only to the least of its entries, and that of the segment is at most the
/// segment's mark, by A. So a segment's mark is never less than its leaf's, and that never less than the root's entry.
///
/// ### Late duplicates
///
/// Of (2) of listing: the entry keeps its key or becomes lower, with a fresh stamp: a look too many. It is refused when
/// the segment is no longer live at the position. Of (3) of listing: the epoch is another one, or the mark is still low
/// enough. Of (2) of raising: it verifies all anew. Of (3) of raising: the stamp is another one. Of adding and retiring:
/// see ``add(_:)``. What a node's crash rolled back (kill −9 without replicas) can break the claims, as it can lose
/// jobs; the sweep over live segments lists again.
package struct TubeDirectory: Sendable {
    /// The tube.
    package let tube: TubeName
    /// The number of this life of the tube's record; the keys of leaves begin with it.
    package let incarnation: Int

    let calls: GuardedCalls
    let layout: StoreLayout
    let tubeKey: Key

    private init(_ tube: TubeName, incarnation: Int, calls: GuardedCalls, layout: StoreLayout) {
        self.tube = tube
        self.incarnation = incarnation
        self.layout = layout
        self.calls = calls
        tubeKey = layout.tubeKey(tube)
    }

    // MARK: Opening

    /// The directory of a tube.
    ///
    /// A tube that is made here is in no list of tubes before it has a segment, or ``register()`` is called.
    ///
    /// - Parameters:
    ///   - tube: the tube.
    ///   - creates: whether to make the tube's record if there is none.
    ///   - calls: how calls are made.
    ///   - layout: where the records are.
    /// - Returns: the directory; nil if there is no such tube.
    /// - Throws: `AerospikeError`; `JobStoreError` with `notAStore` if the record makes no sense.
    package static func open(
        _ tube: TubeName,
        creates: Bool,
        calls: GuardedCalls,
        layout: StoreLayout
    ) async throws -> TubeDirectory? {
        let key = layout.tubeKey(tube)
        if let record = try await calls.read(key, [.get("inc")]) {
            return try TubeDirectory(tube, record, calls, layout)
        }
        guard creates else { return nil }
        let operations: [Operation] =
            [.put("inc", .integer(.random(in: 1 ... .max))), .put("next", 0), .put("rs", 0)]
            + ListedMap.creation + [.map("lv").create(order: .keyOrdered)]
        try await calls.create(key, operations)
        guard let record = try await calls.read(key, [.get("inc")]) else { return nil }
        return try TubeDirectory(tube, record, calls, layout)
    }

    private init(
        _ tube: TubeName,
        _ record: Record,
        _ calls: GuardedCalls,
        _ layout: StoreLayout
    ) throws {
        guard let incarnation = record.int("inc") else {
            throw JobStoreError(.notAStore, "The record of the tube '\(tube)' is not one of a queue's.")
        }
        self.init(tube, incarnation: incarnation, calls: calls, layout: layout)
    }

    // MARK: The tube's record

    /// Changes the tube's record, if it is still this one and a condition holds.
    ///
    /// - Returns: what was answered; nil if the condition does not hold.
    func changeRoot(_ operations: [Operation], if condition: Exp<Bool>? = nil) async throws -> Record? {
        let isSame = Exp<Int>.int(bin: "inc") == Exp(incarnation)
        guard let condition else {
            guard let record = try await calls.change(tubeKey, operations, if: isSame) else { throw isGone }
            return record
        }
        return try await calls.change(tubeKey, operations, if: isSame && condition)
    }

    /// Reads from the tube's record.
    func readRoot(_ operations: [Operation]) async throws -> Record {
        guard let record = try await calls.read(tubeKey, [.get("inc")] + operations),
            record.int("inc") == incarnation
        else { throw isGone }
        return record
    }

    /// The tube's record was lost and perhaps made anew.
    var isGone: TubeRecordIsGone { TubeRecordIsGone(tube: tube) }

    func leafKey(_ leaf: Int) -> Key { layout.leafKey(incarnation: incarnation, leaf: leaf) }
}

/// A tube's record was lost, and perhaps made anew, or a node made a mistake about it: the tube is to be opened again.
package struct TubeRecordIsGone: Error, CustomStringConvertible {
    /// The tube.
    package let tube: TubeName

    package var description: String {
        "The cluster has lost the record of the tube '\(tube)', or part of it, or seems to have: try again."
    }
}

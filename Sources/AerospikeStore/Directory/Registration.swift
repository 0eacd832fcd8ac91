import Aerospike
import BeanspikeCore

/// What a tube's record says of its place in the list of tubes.
struct Registration: Sendable, Equatable {
    /// Whether the tube's name is surely on its page.
    var isListed: Bool
    /// How often that changed.
    var epoch: Int
    /// The page that its name is on, or was last.
    var page: Int?

    static let read: [Operation] = ["rg", "rs", "pg"].map { .get($0) }

    init(_ record: Record?) {
        isListed = record?.int("rg") == 1
        epoch = record?.int("rs") ?? 0
        page = record?.int("pg")
    }
}

/// A tube's place in the list of tubes.
///
/// It is the same handshake as between two levels of a directory (see ``TubeDirectory``): the name on its page is the
/// entry, `rg` in the tube's record the mark, and `rs` the epoch. While `rg` is 1 the name is on the page.
///
/// A tube is forgotten when it has no live segment. Whoever adds one puts it into a leaf first, and then writes the
/// tube's record, which raises the counter of stamps, and sees in the same call whether the tube is listed; if not, it
/// lists it before ``add(_:)`` returns. Whoever forgets the tube reads the counter first, looks at all leaves then,
/// and clears the mark if the counter is still the same. So either the segment was in its leaf when that was looked at, or
/// the counter has changed, or the tube is forgotten before the segment's adder looks, who then lists it again.
extension TubeDirectory {
    /// Puts the tube in the list of tubes, if it is not there.
    package func register() async throws {
        let registry = TubeRegistry(calls: calls, layout: layout)
        for _ in 0..<Self.turnsMax {
            let registration = Registration(try await readRoot(Registration.read))
            if registration.isListed { return }
            let page = try await registry.list(tube, home: registration.page)
            let operations: [Operation] = [.put("rg", 1), .put("pg", .integer(Int64(page))), .add("rs", 1)]
            let isSame: Exp<Bool> = .int(bin: "rs") == Exp(registration.epoch)
            if try await changeRoot(operations, if: isSame) != nil { return }
        }
        throw JobStoreError(.writeFailed, "The tube '\(tube)' is listed and forgotten too often; try again.")
    }

    /// Takes the tube off the list of tubes, if it has no live segment; its pause ends, and its totals begin anew.
    ///
    /// Its record stays, and a put lists it again.
    ///
    /// - Parameter page: a page on which its name stands, if that may be another than its record says.
    /// - Returns: whether it was taken off.
    /// - Throws: `AerospikeError`.
    package func forget(page: Int? = nil) async throws -> Bool {
        let root = try await readRoot([.get(ListedMap.stampBin)] + Registration.read)
        let registration = Registration(root)
        let registry = TubeRegistry(calls: calls, layout: layout)
        let pages = Set([page, registration.page].compactMap { $0 })
        var stamps: [Int: Int64] = [:]
        for page in pages {
            stamps[page] = try await registry.stamp(of: tube, page: page)
        }
        for try await live in try await liveSegments() where !live.isEmpty {
            return false
        }
        let totals = try await allTotals()
        let stampCount = root.int(ListedMap.stampBin) ?? 0
        let isSame: Exp<Bool> =
            .int(bin: "rs") == Exp(registration.epoch) && .int(bin: ListedMap.stampBin) == Exp(stampCount)
        let operations: [Operation] = [
            .put("rg", 0), .add("rs", 1), .put("pu", .null), .put("ps", .null), .put("pc", .null),
            .put("ft", .list(Value.List(totals.amounts.map { .integer(Int64($0)) }))),
        ]
        guard try await changeRoot(operations, if: isSame) != nil else { return false }
        for (page, stamp) in stamps {
            try await registry.remove(tube, page: page, stamp: stamp)
        }
        return true
    }
}

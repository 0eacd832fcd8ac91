import Aerospike

/// What a look at a tube found.
package struct DirectoryLook: Sendable {
    /// What is in the tube's record beside the directory.
    package var state: TubeState
    /// The answers, in the order of the questions.
    package var answers: [DirectoryAnswer]
    /// Leaves to name in the next look, so that it takes one round trip.
    package var leaves: Set<Int>
}

extension TubeDirectory {
    /// Looks for the least entries, and at the rest of the tube's record.
    ///
    /// One round trip if the leaves named have the answers, and otherwise mostly two. Entries of the root that turn out
    /// to promise too much are put right on the way.
    ///
    /// - Parameters:
    ///   - questions: what is wanted; of each kind at most once.
    ///   - leaves: the leaves of the last look.
    /// - Returns: what was found. A question without entries has a ``DirectoryAnswer/rest`` that says from which key on
    ///   there may be something.
    /// - Throws: `AerospikeError`.
    package func look(_ questions: [DirectoryQuestion], leaves: Set<Int> = []) async throws -> DirectoryLook {
        var hints = leaves.filter { (0..<StoreLimits.leavesMax).contains($0) }
        var turn = 0
        while true {
            turn += 1
            var searches = questions.map { DirectorySearch($0) }
            let state = try await lookOnce(&searches, hints)
            try await mend(searches.flatMap(\.broken))
            hints = Set(searches.compactMap(\.hint))
            // Each turn strikes or raises all that the root told, unless others did.
            guard turn < Self.turnsMax, searches.contains(where: \.mayFindMore) else {
                return DirectoryLook(state: state, answers: searches.map(\.answer), leaves: hints)
            }
        }
    }

    /// The least entries of a kind; see ``look(_:leaves:)``.
    package func best(_ kind: DirectoryKind, limit: Int) async throws -> [DirectoryEntry] {
        try await look([DirectoryQuestion(kind, limit: limit)]).answers[0].entries
    }

    private func lookOnce(_ searches: inout [DirectorySearch], _ hints: Set<Int>) async throws -> TubeState {
        let leafOperations = searches.map(\.leafOperation)
        let first = Array(hints)
        let records = try await calls.read(
            [(tubeKey, [.get("inc")] + TubeState.read + searches.map(\.rootOperation))]
                + first.map { (leafKey($0), leafOperations) }
        )
        guard let root = records[0], root.int("inc") == incarnation else { throw isGone }
        for index in searches.indices {
            searches[index].note(root: root)
            for (leaf, record) in zip(first, records.dropFirst()) {
                searches[index].note(leaf: leaf, record)
            }
        }
        while true {
            let wanted = Set(searches.flatMap(\.wanted)).sorted()
            guard !wanted.isEmpty else { return TubeState(root) }
            let records = try await calls.read(wanted.map { (leafKey($0), leafOperations) })
            for index in searches.indices {
                for (leaf, record) in zip(wanted, records) {
                    searches[index].note(leaf: leaf, record)
                }
            }
        }
    }

    private func mend(_ broken: [(entry: RootEntry, least: DirectoryKey?)]) async throws {
        for (entry, least) in broken {
            try await mend(entry, least: least)
        }
    }
}

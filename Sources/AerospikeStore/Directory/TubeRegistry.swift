import Aerospike
package import BeanspikeCore

/// The list of tubes: pages of names.
///
/// A page takes at most 200 names, 42 KB if all are as long as can be and 5 KB as they mostly are. Pages are filled again
/// where names were taken off. The record "root" of the set tells how many there are; pages are never deleted.
package struct TubeRegistry: Sendable {
    /// A name in the list.
    package struct Listing: Sendable, Hashable {
        /// The name.
        package let tube: TubeName
        /// The page that it is on.
        package let page: Int
    }

    /// Names that a page takes.
    static let pageNamesMax = 200
    private static let namesBin = "n"
    private static let pagesBin = "pages"

    let calls: GuardedCalls
    let layout: StoreLayout

    /// The list of a queue.
    package init(calls: GuardedCalls, layout: StoreLayout) {
        self.calls = calls
        self.layout = layout
    }

    private var rootKey: Key { layout.key(.registry, "root") }

    // MARK: Reading

    /// All names, sorted.
    package func names() async throws -> [TubeName] {
        Set(try await listings().map(\.tube)).sorted()
    }

    /// All names with their pages.
    ///
    /// A name may be on two pages, of which one is no longer meant: ``TubeDirectory/forget(page:)`` mends that. A tube
    /// that is listed or forgotten meanwhile may be there or not.
    package func listings() async throws -> [Listing] {
        var listings: [Listing] = []
        for pages in Array(0..<(try await pageCount())).chunks(of: 16) {
            let records = try await calls.read(pages.map { layout.registryKey(page: $0) }, [.get(Self.namesBin)])
            for (page, record) in zip(pages, records) {
                listings += (record?[Self.namesBin]?.map ?? Value.Map()).compactMap { name, _ in
                    name.string.flatMap { TubeName($0) }.map { Listing(tube: $0, page: page) }
                }
            }
        }
        return listings
    }

    private func pageCount() async throws -> Int {
        try await calls.read(rootKey, [.get(Self.pagesBin)])?.int(Self.pagesBin) ?? 0
    }

    // MARK: Names that come and go

    /// Puts a name on a page, with a fresh stamp if it is there.
    ///
    /// - Parameters:
    ///   - tube: the name.
    ///   - home: the page to try first.
    /// - Returns: the page.
    /// - Throws: `AerospikeError`.
    func list(_ tube: TubeName, home: Int?) async throws -> Int {
        for _ in 0..<TubeDirectory.turnsMax {
            let count = try await pageCount()
            // Some pages by chance, so that those where names were taken off are filled again.
            var pages = [home, count - 1] + (0..<2).map { _ in (0..<max(1, count)).randomElement() }
            pages.removeAll { $0.map { !(0..<count).contains($0) } ?? true }
            for case let page? in pages {
                if try await put(tube, page: page) { return page }
            }
            try await addPage(count)
        }
        throw JobStoreError(.writeFailed, "The list of tubes changes too quickly for '\(tube)' to be added; try again.")
    }

    private func put(_ tube: TubeName, page: Int) async throws -> Bool {
        let names = Exp<Value.Map>.map(bin: Self.namesBin)
        let name = tube.description
        let hasRoom = names.size() < Exp(Self.pageNamesMax) || names.get(.key(name), .exists)
        let putting = names.putting(name, Exp<Int>.int(bin: ListedMap.stampBin))
        let operations: [Operation] = [.add(ListedMap.stampBin, 1), .write(putting, to: Self.namesBin)]
        return try await calls.change(layout.registryKey(page: page), operations, if: hasRoom) != nil
    }

    /// Makes one more page, unless somebody did.
    private func addPage(_ page: Int) async throws {
        try await calls.create(
            layout.registryKey(page: page),
            [.put(ListedMap.stampBin, 0), .map(Self.namesBin).create(order: .keyOrdered)]
        )
        if page == 0 {
            try await calls.create(rootKey, [.put(Self.pagesBin, 1)])
        } else {
            let isSame: Exp<Bool> = .int(bin: Self.pagesBin) == Exp(page)
            _ = try await calls.change(rootKey, [.put(Self.pagesBin, .integer(Int64(page + 1)))], if: isSame)
        }
    }

    /// The stamp of a name on a page; nil if it is not there.
    func stamp(of tube: TubeName, page: Int) async throws -> Int64? {
        let reading = Operation.map(Self.namesBin).get(.key(.string(tube.description)))
        return try await calls.read(layout.registryKey(page: page), [reading, .get(ListedMap.stampBin)])?[
            Self.namesBin
        ]?.integer
    }

    /// Takes a name off a page, if its stamp is still the one seen.
    func remove(_ tube: TubeName, page: Int, stamp: Int64) async throws {
        let names = Exp<Value.Map>.map(bin: Self.namesBin)
        let name = tube.description
        let isSame = names.get(.key(name), .exists) && names.get(.key(name), .value(Int.self)) == Exp(Int(stamp))
        let removing = Operation.map(Self.namesBin).remove(.key(.string(name)))
        _ = try await calls.change(layout.registryKey(page: page), [removing], if: isSame)
    }
}

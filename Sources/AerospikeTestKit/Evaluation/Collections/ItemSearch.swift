import Aerospike

/// Finds which elements are among some items, by looking up each element among the sorted items (aerospike-server 8.1,
/// base/cdt.c, `offset_index_find_items`).
struct ItemSearch {
    /// Which elements are among the items, or are not if that is asked.
    private(set) var mask: [Bool]
    /// How many elements are less than each item, and how many are equal to it.
    private(set) var places: [(start: Int, count: Int)]
    /// The items' indexes in their order.
    private let sortedItems: [Int]

    /// Looks for items.
    ///
    /// - Parameters:
    ///   - items: the items.
    ///   - elements: what is looked through.
    ///   - isInverted: whether to mark what is not among the items.
    ///   - findsPlaces: whether the places are asked for.
    init(_ items: [Value], in elements: [Value], isInverted: Bool, findsPlaces: Bool) {
        sortedItems = RankOrder(count: items.count) { items[$0].storedOrder(to: items[$1]) }.sorted()
        mask = [Bool](repeating: false, count: elements.count)
        places = Array(repeating: (0, 0), count: items.count)
        let sortedItems = sortedItems
        let search = StoredSearch(count: items.count) { items[sortedItems[$0]] }
        for (index, element) in elements.enumerated() {
            let found = search.find(element, findsPlaces ? .last : .any)
            mask[index] = found.isFound != isInverted
            guard findsPlaces else { continue }
            if found.isFound {
                places[sortedItems[found.place - 1]].count += 1
            }
            if found.place < items.count {
                places[sortedItems[found.place]].start += 1
            }
        }
        for (before, after) in zip(sortedItems, sortedItems.dropFirst()) {
            places[after].start += places[before].start
        }
    }

    /// The answer that tells places: of the items one after the other, or of what is between them (base/cdt.c,
    /// `result_data_set_by_itemlist_irc`).
    func answer(_ returning: Returning) -> Value {
        let total = mask.count
        guard returning.isInverted else {
            return .counts(places.flatMap { ($0.start..<$0.start + $0.count).map { returning.place($0, of: total) } })
        }
        var answer: [Int] = []
        var end = 0
        for item in sortedItems where places[item].count > 0 {
            answer += returning.run(end..<places[item].start, of: total)
            end = places[item].start + places[item].count
        }
        return .counts(answer + returning.run(end..<total, of: total))
    }
}

extension Selector {
    /// The items of a list that is an argument (base/cdt.c, `list_param_parse`).
    static func items(of value: Value) throws(Refusal) -> [Value] {
        guard let list = value.list else { throw .parameter("\(value) where a list belongs") }
        // A server counts the mark of the order as an item.
        guard list.order == .unordered else { throw .unknown("an ordered list of values or keys") }
        return list.elements
    }
}

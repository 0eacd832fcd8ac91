import Aerospike

/// Finds elements by their rank, with ties where a server leaves them.
///
/// An order tells how the elements at two indexes compare.
struct RankOrder {
    private let count: Int
    private let order: (Int, Int) -> Value.Comparison

    init(count: Int, order: @escaping (Int, Int) -> Value.Comparison) {
        self.count = count
        self.order = order
    }

    /// Every index, the least element first and equal ones in the order of a stable merge sort.
    ///
    /// The halves are those of glibc's `qsort_r`, so that arguments that only compare, which no order is true to, come
    /// out as they do on a server.
    func sorted(descending: Bool = false) -> [Int] {
        var indexes = Array(0..<count)
        var merged = indexes
        sort(&indexes, &merged, 0..<count, after: descending ? .less : .greater)
        return indexes
    }

    private func sort(_ indexes: inout [Int], _ merged: inout [Int], _ range: Range<Int>, after: Value.Comparison) {
        guard range.count > 1 else { return }
        let middle = range.lowerBound + range.count / 2
        sort(&indexes, &merged, range.lowerBound..<middle, after: after)
        sort(&indexes, &merged, middle..<range.upperBound, after: after)
        var left = range.lowerBound
        var right = middle
        for place in range {
            let takesRight =
                left == middle
                || (right < range.upperBound && order(indexes[left], indexes[right]) == after)
            merged[place] = indexes[takesRight ? right : left]
            if takesRight {
                right += 1
            } else {
                left += 1
            }
        }
        indexes.replaceSubrange(range, with: merged[range])
    }

    /// The indexes of the elements of some ranks, and whether the greatest comes first.
    ///
    /// A server takes them from a heap of the least if they are nearer to the least, of the greatest otherwise, and
    /// leaves them the other way round (aerospike-server 8.1, base/cdt.c, `order_heap_init_build_by_range_temp`). Which
    /// of equal elements is taken is the heap's doing too.
    func indexes(ranked range: Range<Int>) -> (indexes: [Int], isDescending: Bool) {
        let after = count - range.upperBound
        let isDescending = range.lowerBound <= after
        let skipped = isDescending ? range.lowerBound : after
        if range.count == 1, skipped == 0 {
            // The top of the heap, which is found in one pass if it is the only one.
            let top = isDescending ? Value.Comparison.less : .greater
            if let index = onlyTop(top) {
                return ([index], isDescending)
            }
        }
        var heap = Heap(Array(0..<count), top: isDescending ? .less : .greater, order: order)
        for _ in 0..<skipped {
            _ = heap.removeTop()
        }
        return ((0..<range.count).map { _ in heap.removeTop() }.reversed(), isDescending)
    }

    /// The index of the least or greatest element if no other is equal to it.
    private func onlyTop(_ top: Value.Comparison) -> Int? {
        guard count > 0 else { return nil }
        var found = 0
        var isOnly = true
        for index in 0..<count where index > 0 {
            let comparison = order(index, found)
            if comparison == top {
                found = index
                isOnly = true
            } else if comparison == .equal {
                isOnly = false
            }
        }
        return isOnly ? found : nil
    }
}

/// A binary heap whose steps are those of a server's (aerospike-server 8.1, base/cdt.c, `order_heap`).
private struct Heap {
    private var items: [Int]
    private var filled: Int
    private let top: Value.Comparison
    private let order: (Int, Int) -> Value.Comparison

    init(_ items: [Int], top: Value.Comparison, order: @escaping (Int, Int) -> Value.Comparison) {
        self.items = items
        filled = items.count
        self.top = top
        self.order = order
        for index in (0..<items.count / 2).reversed() {
            sink(from: index)
        }
    }

    mutating func removeTop() -> Int {
        let item = items[0]
        filled -= 1
        items[0] = items[filled]
        sink(from: 0)
        return item
    }

    private mutating func sink(from start: Int) {
        var index = start
        while 2 * index + 1 < filled {
            var child = 2 * index + 1
            if child + 1 < filled {
                let comparison = order(items[child], items[child + 1])
                if comparison != top, comparison != .equal {
                    child += 1
                }
            }
            guard order(items[child], items[index]) == top else { return }
            items.swapAt(index, child)
            index = child
        }
    }
}

import BeanspikeCore

/// Jobs by (key, id), smallest first; a job's slot knows its place, so that any job leaves in O(log n).
struct JobHeap {
    private struct Entry {
        var key: Int64
        var id: JobID
        var handle: JobHandle

        @inline(__always)
        static func < (a: Entry, b: Entry) -> Bool { a.key != b.key ? a.key < b.key : a.id < b.id }
    }

    private var entries: [Entry] = []

    var count: Int { entries.count }
    var isEmpty: Bool { entries.isEmpty }
    /// The first job.
    var first: JobHandle? { entries.first?.handle }
    /// The first job's key.
    var firstKey: Int64? { entries.first?.key }
    /// All jobs, in no order.
    var handles: [JobHandle] { entries.map(\.handle) }

    mutating func insert(_ handle: JobHandle, key: Int64, in slab: borrowing JobSlab) {
        let entry = Entry(key: key, id: slab[handle].pointee.id, handle: handle)
        entries.append(entry)
        rise(entry, from: entries.count - 1, slab)
    }

    mutating func remove(_ handle: JobHandle, in slab: borrowing JobSlab) {
        let at = Int(slab[handle].pointee.heapPosition)
        slab[handle].pointee.heapPosition = .none
        let last = entries.removeLast()
        guard at < entries.count else { return }
        if at > 0, last < entries[(at - 1) / 4] { rise(last, from: at, slab) } else { sink(last, from: at, slab) }
    }

    private mutating func put(_ entry: Entry, at: Int, _ slab: borrowing JobSlab) {
        entries[at] = entry
        slab[entry.handle].pointee.heapPosition = UInt32(truncatingIfNeeded: at)
    }

    private mutating func rise(_ entry: Entry, from start: Int, _ slab: borrowing JobSlab) {
        var at = start
        while at > 0 {
            let parent = (at - 1) / 4
            guard entry < entries[parent] else { break }
            put(entries[parent], at: at, slab)
            at = parent
        }
        put(entry, at: at, slab)
    }

    private mutating func sink(_ entry: Entry, from start: Int, _ slab: borrowing JobSlab) {
        var at = start
        while true {
            let firstChild = at * 4 + 1
            guard firstChild < entries.count else { break }
            var best = firstChild
            for child in (firstChild + 1)..<max(firstChild + 1, min(firstChild + 4, entries.count))
            where entries[child] < entries[best] { best = child }
            guard entries[best] < entry else { break }
            put(entries[best], at: at, slab)
            at = best
        }
        put(entry, at: at, slab)
    }
}

import BeanspikeCore

/// A doubly linked list through the jobs' own slots: a lane of ready jobs, buried jobs, jobs of one holder.
struct JobList {
    private(set) var first = JobHandle.none
    private(set) var last = JobHandle.none

    var isEmpty: Bool { first == .none }

    @inline(__always)
    mutating func append(_ handle: JobHandle, in slab: borrowing JobSlab) {
        insert(handle, after: last, in: slab)
    }

    /// Inserts behind `before`, or in front of all where that is `none`.
    @inline(__always)
    mutating func insert(_ handle: JobHandle, after before: JobHandle, in slab: borrowing JobSlab) {
        let after = before == .none ? first : slab[before].pointee.next
        slab[handle].pointee.previous = before
        slab[handle].pointee.next = after
        if before == .none { first = handle } else { slab[before].pointee.next = handle }
        if after == .none { last = handle } else { slab[after].pointee.previous = handle }
    }

    @inline(__always)
    mutating func remove(_ handle: JobHandle, in slab: borrowing JobSlab) {
        let slot = slab[handle]
        let before = slot.pointee.previous
        let after = slot.pointee.next
        if before == .none { first = after } else { slab[before].pointee.next = after }
        if after == .none { last = before } else { slab[after].pointee.previous = before }
        slot.pointee.previous = .none
        slot.pointee.next = .none
    }

    /// All jobs in order.
    func handles(in slab: borrowing JobSlab) -> [JobHandle] {
        var all: [JobHandle] = []
        var at = first
        while at != .none {
            all.append(at)
            at = slab[at].pointee.next
        }
        return all
    }
}

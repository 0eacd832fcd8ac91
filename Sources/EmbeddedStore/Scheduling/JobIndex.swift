import BeanspikeCore

/// Finds a job's handle by its id: open addressing in many small tables, so that none takes long to grow.
///
/// Ids that follow each other lie side by side, sixteen to a cache line: jobs are mostly asked for in id order.
struct JobIndex: ~Copyable {
    private struct Table {
        var handles: UnsafeMutablePointer<JobHandle>
        var mask: Int
        var count = 0
    }

    private static let shardBits: UInt64 = 9
    private static let runBits: UInt64 = 4
    private static let shards = 1 << Int(shardBits)
    private let tables: UnsafeMutablePointer<Table>

    init() {
        tables = .allocate(capacity: Self.shards)
        for shard in 0..<Self.shards {
            (tables + shard).initialize(to: Table(handles: Self.makeHandles(8), mask: 7))
        }
    }

    deinit {
        for shard in 0..<Self.shards { tables[shard].handles.deallocate() }
        tables.deallocate()
    }

    private static func makeHandles(_ capacity: Int) -> UnsafeMutablePointer<JobHandle> {
        let handles = UnsafeMutablePointer<JobHandle>.allocate(capacity: capacity)
        handles.initialize(repeating: .none, count: capacity)
        return handles
    }

    @inline(__always)
    private static func hash(_ id: JobID) -> UInt64 { (id &>> runBits) &* 0x9E37_79B9_7F4A_7C15 }
    @inline(__always)
    private static func shard(_ hash: UInt64) -> Int { Int(hash &>> (64 - shardBits)) }
    @inline(__always)
    private static func home(_ id: JobID, _ hash: UInt64, _ mask: Int) -> Int {
        let run = Int(truncatingIfNeeded: hash &>> 24) &<< Int(runBits)
        return (run | Int(truncatingIfNeeded: id & (1 &<< runBits &- 1))) & mask
    }

    func find(_ id: JobID, in slab: borrowing JobSlab) -> JobHandle? {
        let hash = Self.hash(id)
        let table = tables + Self.shard(hash)
        let handles = table.pointee.handles
        let mask = table.pointee.mask
        var at = Self.home(id, hash, mask)
        while handles[at] != .none {
            if slab[handles[at]].pointee.id == id { return handles[at] }
            at = (at &+ 1) & mask
        }
        return nil
    }

    mutating func insert(_ id: JobID, _ handle: JobHandle, in slab: borrowing JobSlab) {
        let hash = Self.hash(id)
        let table = tables + Self.shard(hash)
        if (table.pointee.count + 1) * 3 > (table.pointee.mask + 1) * 2 { grow(table, slab) }
        place(handle, id, table)
        table.pointee.count += 1
    }

    private func place(_ handle: JobHandle, _ id: JobID, _ table: UnsafeMutablePointer<Table>) {
        let mask = table.pointee.mask
        var at = Self.home(id, Self.hash(id), mask)
        while table.pointee.handles[at] != .none { at = (at &+ 1) & mask }
        table.pointee.handles[at] = handle
    }

    private func grow(_ table: UnsafeMutablePointer<Table>, _ slab: borrowing JobSlab) {
        let old = table.pointee.handles
        let oldCapacity = table.pointee.mask + 1
        table.pointee.handles = Self.makeHandles(oldCapacity * 2)
        table.pointee.mask = oldCapacity * 2 - 1
        for at in 0..<oldCapacity where old[at] != .none {
            place(old[at], slab[old[at]].pointee.id, table)
        }
        old.deallocate()
    }

    /// Takes the job out; its slot must still have its id.
    mutating func remove(_ id: JobID, in slab: borrowing JobSlab) {
        let hash = Self.hash(id)
        let table = tables + Self.shard(hash)
        let handles = table.pointee.handles
        let mask = table.pointee.mask
        var hole = Self.home(id, hash, mask)
        while handles[hole] != .none, slab[handles[hole]].pointee.id != id { hole = (hole &+ 1) & mask }
        guard handles[hole] != .none else { return }
        // Later entries of the same run move up, so that look-ups never need tombstones.
        var at = (hole &+ 1) & mask
        while handles[at] != .none {
            let other = slab[handles[at]].pointee.id
            let home = Self.home(other, Self.hash(other), mask)
            if ((at &- home) & mask) >= ((at &- hole) & mask) {
                handles[hole] = handles[at]
                hole = at
            }
            at = (at &+ 1) & mask
        }
        handles[hole] = .none
        table.pointee.count -= 1
    }
}

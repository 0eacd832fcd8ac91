import BeanspikeCore

/// Which jobs of which packs are live: what a delete needs to know without reading a pack.
///
/// A commit changes live bits as it goes and either keeps them (``keep(adding:)``) or takes them back (``undo()``).
struct PackDirectory {
    /// One row of `packs`.
    struct Pack: Equatable {
        /// Its first job's id, which is the row's.
        var first: JobID
        /// Bit n: job `first + n` was written with it.
        var members: UInt64
        /// Bit n: job `first + n` is there still.
        ///
        /// 0: the pack is gone.
        var live: UInt64

        /// The last id that may be in it.
        var last: JobID { first + JobID(63 - members.leadingZeroBitCount) }
        /// Whether most of its bytes are of jobs that are gone.
        var isSparse: Bool { live != 0 && live.nonzeroBitCount * 4 <= members.nonzeroBitCount }
    }

    /// First ids rising; packs that are gone stay until they are half of all.
    private(set) var packs: [Pack] = []
    /// The largest id that was ever put: no pack begins at or below it.
    private(set) var lastID: JobID = 0
    /// First ids of packs that became sparse, oldest first; some may be gone since.
    private var sparse: [JobID] = []
    private var sparseHead = 0
    /// How many of ``packs`` are gone.
    private var goneCount = 0
    /// Where the last id was found; the next one is often near.
    private var hint = 0
    /// Packs changed by the commit under way, with their bits before; a pack may come more than once.
    private var undoLog: [(index: Int, live: UInt64)] = []

    /// How many packs are sparse, at most.
    var sparseCount: Int { sparse.count - sparseHead }

    /// Where the pack is that an id would be in.
    mutating func index(of id: JobID) -> Int? {
        if hint < packs.count, packs[hint].first <= id, id <= packs[hint].last { return hint }
        if hint + 1 < packs.count, packs[hint + 1].first <= id, id <= packs[hint + 1].last {
            hint += 1
            return hint
        }
        var low = 0
        var high = packs.count
        while low < high {
            let middle = (low + high) / 2
            if packs[middle].first <= id { low = middle + 1 } else { high = middle }
        }
        guard low > 0, id <= packs[low - 1].last else { return nil }
        hint = low - 1
        return hint
    }

    /// Whether a job is in a pack, and live.
    mutating func contains(_ id: JobID) -> Bool {
        guard let index = index(of: id) else { return false }
        return packs[index].live >> (id - packs[index].first) & 1 == 1
    }

    /// Clears a job's bit until ``undo()``; false where no pack has the job.
    mutating func clear(_ id: JobID) -> Bool {
        guard let index = index(of: id) else { return false }
        let bit = 1 << (id - packs[index].first) as UInt64
        let live = packs[index].live
        guard live & bit != 0 else { return false }
        if undoLog.last?.index != index { undoLog.append((index, live)) }
        packs[index].live = live & ~bit
        return true
    }

    /// Says until ``undo()`` that a pack is gone.
    mutating func clear(packAt index: Int) {
        undoLog.append((index, packs[index].live))
        packs[index].live = 0
    }

    /// Calls `body` with each pack that the commit under way has changed, first ids rising, and its bits before.
    mutating func forEachTouched<Failure: Error>(
        _ body: (inout PackDirectory, Int, UInt64) throws(Failure) -> Void
    ) throws(Failure) {
        if zip(undoLog, undoLog.dropFirst()).contains(where: { $0.index >= $1.index }) {
            // Bits are only cleared: of a pack's entries, the one with most bits is the oldest. Undoing them in
            // reverse leaves that one's.
            undoLog.sort { $0.index == $1.index ? $0.live > $1.live : $0.index < $1.index }
        }
        var previous = -1
        for (index, live) in undoLog where index != previous {
            previous = index
            try body(&self, index, live)
        }
    }

    /// The oldest sparse packs past ``PackLimits/sparseMax`` that are still there, at most `countMax` of them.
    mutating func excessSparse(_ countMax: Int) -> [Int] {
        var found: [Int] = []
        var next = sparseHead
        while sparse.count - next > PackLimits.sparseMax, found.count < countMax {
            if let index = index(of: sparse[next]), packs[index].live != 0 { found.append(index) }
            next += 1
        }
        return found
    }

    /// Takes back what the commit under way has changed.
    mutating func undo() {
        for (index, live) in undoLog.reversed() { packs[index].live = live }
        undoLog.removeAll(keepingCapacity: true)
    }

    /// Keeps what the commit has changed, and notes what it has put.
    mutating func keep(adding added: [Pack], lastID: JobID) {
        self.lastID = max(self.lastID, lastID)
        if !undoLog.isEmpty {
            forEachTouched { (directory, index, before) in
                let pack = directory.packs[index]
                if pack.live == 0 {
                    directory.goneCount += 1
                } else if pack.isSparse, !Pack(first: pack.first, members: pack.members, live: before).isSparse {
                    directory.sparse.append(pack.first)
                }
            }
            undoLog.removeAll(keepingCapacity: true)
        }
        packs += added
        tidy()
    }

    /// Notes a pack of the file, when the journal is opened.
    mutating func load(_ pack: Pack) {
        packs.append(pack)
        lastID = max(lastID, pack.last)
        if pack.isSparse { sparse.append(pack.first) }
    }

    /// Notes the largest id of the single rows, when the journal is opened.
    mutating func load(lastID: JobID) { self.lastID = max(self.lastID, lastID) }

    private mutating func tidy() {
        while sparseHead < sparse.count, !isThere(sparse[sparseHead]) { sparseHead += 1 }
        if sparseHead > 64, sparseHead * 2 > sparse.count {
            sparse.removeFirst(sparseHead)
            sparseHead = 0
        }
        guard goneCount > 64, goneCount * 2 > packs.count else { return }
        packs.removeAll { $0.live == 0 }
        goneCount = 0
        hint = 0
    }

    private mutating func isThere(_ first: JobID) -> Bool {
        guard let index = index(of: first) else { return false }
        return packs[index].live != 0
    }
}

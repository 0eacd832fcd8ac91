import BeanspikeCore
import CSQLite

/// Giving room back: the file has no more than half as much free as live, and a few megabytes.
extension SQLiteJournal {
    /// One short step of making the file smaller, where much of it is free.
    ///
    /// - Returns: Whether there is more to do.
    /// - Throws: What SQLite could not do; nothing is lost by that.
    func giveRoomBack() throws(SQLiteError) -> Bool {
        guard let statements, mayHaveFreed else { return false }
        let pages = try statements.pageCount.integer()
        let freePages = try statements.freePageCount.integer()
        let free = freePages * JournalLimits.pageBytes
        let live = (pages - freePages) * JournalLimits.pageBytes
        let bound =
            isGivingRoomBack ? max(limits.freeBytesKept, live / 4) : max(limits.freeBytesMax, live / 2)
        guard free > bound else {
            isGivingRoomBack = false
            mayHaveFreed = false
            return false
        }
        if !isGivingRoomBack {
            isGivingRoomBack = true
            stepsUntilLook = 0
        }
        if stepsUntilLook == 0 {
            stepsUntilLook = limits.stepsBetweenLooks
            if try pagesInUse(above: pages - freePages, of: pages) <= limits.pagesMovedAtOnce {
                try giveAllFreePagesBack()
                return false
            }
        }
        stepsUntilLook -= 1
        try moveSomePages()
        if database.logFrames > limits.logFramesMax { try checkpoint() }
        return true
    }

    /// Cuts all free pages off at once; what is in use behind the new end is moved before.
    private func giveAllFreePagesBack() throws(SQLiteError) {
        try database.execute("PRAGMA auto_vacuum = FULL")
        try database.execute("PRAGMA auto_vacuum = INCREMENTAL")
        isGivingRoomBack = false
        mayHaveFreed = false
        try checkpoint()
    }

    /// Cuts pages off the end for a few milliseconds.
    ///
    /// A page costs time in proportion to what is free where it is free itself, since SQLite looks for it in the list of
    /// free pages; that is why everything is given back at once where that moves little.
    private func moveSomePages() throws(SQLiteError) {
        let start = ContinuousClock.now
        try transaction(growing: false) { () throws(SQLiteError) in
            repeat {
                try database.execute("PRAGMA incremental_vacuum(\(limits.pagesPerMove))")
            } while start.duration(to: .now) < limits.stepDuration
        }
    }

    /// How many pages behind page `first` are in use, as far as the file knows: the log may have newer pages, but not
    /// more of them than ``JournalLimits/logFramesMax``.
    ///
    /// Source: sqlite.org/fileformat.html, "Pointer Map or Ptrmap Pages".
    private func pagesInUse(above first: Int64, of pages: Int64) throws(SQLiteError) -> Int64 {
        let entryBytes: Int64 = 5
        let entriesPerMap = JournalLimits.pageBytes / entryBytes
        let freePageType: UInt8 = 2
        let length = try database.fileBytes(.main)
        var inUse: Int64 = 0
        var map = [UInt8](repeating: 0, count: Int(JournalLimits.pageBytes))
        // Page 2 is the first map; each is followed by the pages that it tells of.
        var mapPage = (max(first, 3) - 2) / (entriesPerMap + 1) * (entriesPerMap + 1) + 2
        while mapPage < pages, mapPage * JournalLimits.pageBytes <= length {
            try database.read(.main, at: (mapPage - 1) * JournalLimits.pageBytes, into: &map)
            for entry in 0..<entriesPerMap {
                let page = mapPage + 1 + entry
                if page > first, page <= pages, map[Int(entry * entryBytes)] != freePageType { inUse += 1 }
            }
            mapPage += entriesPerMap + 1
        }
        return inUse
    }
}

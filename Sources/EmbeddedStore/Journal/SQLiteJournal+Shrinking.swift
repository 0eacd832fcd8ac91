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
        isGivingRoomBack = true
        if stepsUntilLook == 0 {
            // The file is looked at, so it must know all.
            try checkpoint()
            let behind = try pagesInUse(above: pages - freePages, of: pages)
            if behind == 0 {
                try giveAllFreePagesBack()
                return false
            }
            stepsUntilLook = behind > limits.stepsBetweenLooks ? limits.stepsBetweenLooks : 1
        }
        stepsUntilLook -= 1
        try moveSomePages()
        if database.logFrames > limits.logFramesMax { try checkpoint() }
        return true
    }

    /// Cuts all free pages off at once.
    ///
    /// Cheap only where no page in use has to move.
    private func giveAllFreePagesBack() throws(SQLiteError) {
        try database.execute("PRAGMA auto_vacuum = FULL")
        try database.execute("PRAGMA auto_vacuum = INCREMENTAL")
        isGivingRoomBack = false
        mayHaveFreed = false
        try checkpoint()
    }

    /// Cuts pages off the end for a few milliseconds.
    ///
    /// SQLite looks through its list of free pages for each page that it moves or cuts off, so that a page costs time in
    /// proportion to what is free: a third of a millisecond with 1 GB. That is why everything is cut off at once as soon
    /// as nothing has to move.
    private func moveSomePages() throws(SQLiteError) {
        let start = ContinuousClock.now
        try transaction(growing: false) { () throws(SQLiteError) in
            // A page that moves changes its neighbours and a map too: the log has room for that many.
            for _ in 0..<max(1, limits.logFramesMax / 4 / limits.pagesPerMove) {
                try database.execute("PRAGMA incremental_vacuum(\(limits.pagesPerMove))")
                if start.duration(to: .now) > limits.stepDuration { break }
            }
        }
    }

    /// How many pages behind page `first` are in use.
    ///
    /// Source: sqlite.org/fileformat.html, "Pointer Map or Ptrmap Pages".
    private func pagesInUse(above first: Int64, of pages: Int64) throws(SQLiteError) -> Int64 {
        let entryBytes: Int64 = 5
        let entriesPerMap = JournalLimits.pageBytes / entryBytes
        let freePageType: UInt8 = 2
        // "The Lock-Byte Page": never used.
        let lockPage = (1 << 30) / JournalLimits.pageBytes + 1
        let length = try database.fileBytes(.main)
        var inUse: Int64 = 0
        var map = [UInt8](repeating: 0, count: Int(JournalLimits.pageBytes))
        // Page 2 is the first map; each is followed by the pages that it tells of.
        var mapPage = (max(first, 3) - 2) / (entriesPerMap + 1) * (entriesPerMap + 1) + 2
        while mapPage < pages, mapPage * JournalLimits.pageBytes <= length {
            try database.read(.main, at: (mapPage - 1) * JournalLimits.pageBytes, into: &map)
            for entry in 0..<entriesPerMap {
                let page = mapPage + 1 + entry
                guard page > first, page <= pages, page != lockPage else { continue }
                if map[Int(entry * entryBytes)] != freePageType { inUse += 1 }
            }
            mapPage += entriesPerMap + 1
        }
        return inUse
    }
}

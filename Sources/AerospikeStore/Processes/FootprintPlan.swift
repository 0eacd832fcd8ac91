/// Where a process writes down from which segments it may have reserved, and what it is to write next.
///
/// It writes nothing itself. Places are on pages; a write is of one page and carries a sequence number, so that a late
/// duplicate changes nothing. What a failed write was to do may have been done or not: its places are taken until a later
/// write of the page settles it.
struct FootprintPlan: Sendable {
    /// A write of a page.
    struct Write: Sendable, Equatable {
        var page: Int
        var sequence: Int64
        /// Whether the page has to be made first.
        var isNew: Bool
        var adding: [Int]
        var removing: [Int]
    }

    private enum Place: Sendable, Equatable {
        /// Written down, and in use.
        case entered
        /// Written down, and no longer needed; as good as entered when it is needed again.
        case left
        /// Perhaps written down.
        case unknown
        /// Part of a write that is under way.
        case moving
    }

    private struct Page: Sendable {
        var places: [Int: Place] = [:]
        /// How many of the places are ``Place/left``.
        var leftCount = 0
        var sequence: Int64 = 0
        var isMade = false
    }

    /// The most pages of a process.
    static let pagesMax = 4_096

    private var pages: [Page] = []
    private var pageOfSegment: [Int: Int] = [:]

    /// Whether the segment is written down for sure.
    func isEntered(_ segment: Int) -> Bool {
        guard let page = pageOfSegment[segment] else { return false }
        return pages[page].places[segment] == .entered
    }

    /// Takes segments that are written down already into use again.
    ///
    /// - Returns: the others, each once.
    mutating func use(_ segments: [Int]) -> [Int] {
        var others: [Int] = []
        var seen: Set<Int> = []
        for segment in segments where seen.insert(segment).inserted {
            guard let page = pageOfSegment[segment] else {
                others.append(segment)
                continue
            }
            switch pages[page].places[segment] {
            case .entered: break
            case .left:
                pages[page].places[segment] = .entered
                pages[page].leftCount -= 1
            case .unknown, .moving, nil: others.append(segment)
            }
        }
        return others
    }

    /// A segment is no longer needed: its place is freed by a later write.
    mutating func leave(_ segment: Int) {
        guard let page = pageOfSegment[segment], pages[page].places[segment] == .entered else { return }
        pages[page].places[segment] = .left
        pages[page].leftCount += 1
    }

    /// The next write on the way to have segments written down; no other may be under way.
    ///
    /// - Parameter segments: the segments, none of which is written down.
    /// - Returns: the write; nil if there is no room left on any page.
    mutating func write(for segments: [Int]) -> Write? {
        // A segment of an earlier write that failed stays on its page.
        var page = segments.first { pageOfSegment[$0] != nil }.flatMap { pageOfSegment[$0] }
        page = page ?? pages.firstIndex { $0.places.count - $0.leftCount < StoreLimits.footprintPageSegments }
        if page == nil, pages.count < Self.pagesMax {
            pages.append(Page())
            page = pages.count - 1
        }
        guard let page else { return nil }
        return write(for: segments, on: page)
    }

    private mutating func write(for segments: [Int], on number: Int) -> Write? {
        var page = pages[number]
        var wanted = segments.filter { pageOfSegment[$0] == number }
        let isWanted = Set(segments)
        let removed = page.places.filter {
            $0.value == .left || $0.value == .unknown && !isWanted.contains($0.key)
        }.keys
        let room = StoreLimits.footprintPageSegments - (page.places.count - removed.count)
        wanted += segments.filter { pageOfSegment[$0] == nil }.prefix(max(0, room))
        guard !wanted.isEmpty else { return nil }
        for segment in removed {
            page.places[segment] = .moving
        }
        for segment in wanted {
            page.places[segment] = .moving
            pageOfSegment[segment] = number
        }
        page.leftCount = 0
        page.sequence += 1
        pages[number] = page
        return Write(
            page: number,
            sequence: page.sequence,
            isNew: !page.isMade,
            adding: wanted.sorted(),
            removing: removed.sorted()
        )
    }

    /// Takes note of what a write came to.
    ///
    /// - Parameters:
    ///   - write: the write.
    ///   - isDone: whether it was done for sure.
    mutating func finished(_ write: Write, isDone: Bool) {
        for segment in write.adding {
            pages[write.page].places[segment] = isDone ? .entered : .unknown
        }
        for segment in write.removing {
            if isDone {
                pages[write.page].places[segment] = nil
                pageOfSegment[segment] = nil
            } else {
                pages[write.page].places[segment] = .unknown
            }
        }
        if isDone { pages[write.page].isMade = true }
    }
}

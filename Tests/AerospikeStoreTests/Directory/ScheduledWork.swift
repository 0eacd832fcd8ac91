import Aerospike
import BeanspikeCore
import JobStoreTestKit

@testable import AerospikeStore

/// What a client of a schedule does with a directory: it puts into segments, takes from them, adds and retires them.
struct ScheduledWork: Sendable {
    let client: ScheduledClient
    let directory: TubeDirectory

    static let layout = StoreLayout(namespace: "test", prefix: "s")
    static let leaves = 3
    static let placesPerLeaf = 2

    init?(_ client: ScheduledClient) async throws {
        guard let tube = TubeName("t") else { return nil }
        let directory = try await TubeDirectory.open(tube, creates: true, calls: client.calls, layout: Self.layout)
        guard let directory else { return nil }
        self.client = client
        self.directory = directory
    }

    static func key(_ kind: DirectoryKind, _ number: Int) -> DirectoryKey {
        kind == .ready
            ? .ready(priority: UInt32(number / 4), job: UInt64(number % 4 + 1)) : .time(Int64(number))
    }

    /// One thing or another.
    func work(_ choice: Int) async throws {
        switch choice {
        case 0: try await add()
        case 1: try await retire()
        case 2...5: try await put()
        case 6: try await take(upTo: 0)
        case 9: try await addSeveral()
        default: try await take(upTo: 3)
        }
    }

    // MARK: Segments

    private func add() async throws {
        let (segment, place, key) = try await client.change { segments, dice in
            let segment = 1 + (segments.keys.max() ?? 0)
            // The number is taken whatever becomes of it.
            segments[segment] = ModelSegment(position: -1, isClosed: true)
            let place = Place(
                leaf: Int.random(in: 0..<Self.leaves, using: &dice),
                offset: Int.random(in: 0..<Self.placesPerLeaf, using: &dice)
            )
            return (segment, place, Self.key(.ready, Int.random(in: 0..<8, using: &dice)))
        }
        guard try await directory.add(segment, at: place, key: key) else { return }
        _ = try await client.change { segments, _ in
            segments[segment] = ModelSegment(position: place.position, sides: [.ready: .init(mark: key)])
        }
    }

    private func addSeveral() async throws {
        var (new, usesRing) = try await client.change { segments, dice in
            let count = Int.random(in: 2...4, using: &dice)
            let places = (0..<Self.leaves * Self.placesPerLeaf).shuffled(using: &dice).prefix(count)
            let first = 1 + (segments.keys.max() ?? 0)
            let new = zip(first..., places).map { segment, index in
                let place = Place(leaf: index / Self.placesPerLeaf, offset: index % Self.placesPerLeaf)
                let key = Self.key(.ready, Int.random(in: 0..<8, using: &dice))
                return NewSegment(segment, at: place.position, key: key)
            }
            for segment in new { segments[segment.segment] = ModelSegment(position: -1, isClosed: true) }
            return (new, dice.oneIn(2))
        }
        if usesRing {
            let positions = try await directory.takePlaces(new.count)
            new = zip(new, positions).map { NewSegment($0.segment, at: $1, key: $0.key) }
        }
        let added = try await directory.add(new)
        _ = try await client.change { segments, _ in
            for new in added {
                segments[new.segment] = ModelSegment(position: new.position, sides: [.ready: .init(mark: new.key)])
            }
        }
    }

    private func retire() async throws {
        let retired = try await client.change { segments, dice -> (Int, Int)? in
            let empty = segments.filter { $0.value.position >= 0 && $0.value.isEmpty }.keys.sorted()
            guard let segment = empty.randomElement(using: &dice) else { return nil }
            segments[segment]?.isClosed = true
            return segments[segment].map { (segment, $0.position) }
        }
        guard let (segment, position) = retired else { return }
        try await directory.retire(segment, at: position, totals: RetiredTotals(puts: 1))
    }

    // MARK: What is in them

    /// Puts something into a segment, listing it first where it has to be.
    private func put() async throws {
        let choice = try await client.change { segments, dice -> (Int, DirectoryKind, DirectoryKey)? in
            let open = segments.filter { !$0.value.isClosed }.keys.sorted()
            guard let segment = open.randomElement(using: &dice) else { return nil }
            let kind: DirectoryKind = dice.oneIn(3) ? .wake : .ready
            return (segment, kind, Self.key(kind, Int.random(in: 0..<16, using: &dice)))
        }
        guard let (segment, kind, key) = choice else { return }
        while true {
            let seen = try await client.change { segments, _ -> (epoch: Int, position: Int)? in
                guard var model = segments[segment], !model.isClosed else { return nil }
                var side = model.sides[kind] ?? ModelSegment.Side()
                if let mark = side.mark, mark <= key {
                    side.keys.insert(key)
                    model.sides[kind] = side
                    segments[segment] = model
                    return nil
                }
                return (side.epoch, model.position)
            }
            guard let seen else { return }
            guard try await directory.list(kind, at: seen.position, segment: segment, key) else { return }
            _ = try await client.change { segments, _ in
                var side = segments[segment]?.sides[kind] ?? ModelSegment.Side()
                guard side.epoch == seen.epoch, side.mark.map({ $0 > key }) ?? true else { return }
                side.mark = key
                segments[segment]?.sides[kind] = side
            }
        }
    }

    /// Looks for the best segments, takes from one, and puts right what its entry says.
    private func take(upTo count: Int) async throws {
        let (kind, limit, end) = try await client.change { _, dice in
            let kind: DirectoryKind = dice.oneIn(3) ? .wake : .ready
            let end = dice.oneIn(3) ? Self.key(kind, Int.random(in: 0..<16, using: &dice)) : nil
            return (kind, Int.random(in: 1...3, using: &dice), end)
        }
        let question = DirectoryQuestion(kind, limit: limit, before: end)
        let look = try await directory.look([question], leaves: [Int(limit) % Self.leaves])
        guard let entry = look.answers[0].entries.first else { return }
        try await take(upTo: count, entry)
    }

    func take(upTo count: Int, _ entry: DirectoryEntry) async throws {
        let least = try await client.change { segments, _ -> DirectoryKey?? in
            guard var model = segments[entry.segment], model.position == entry.position else { return nil }
            var side = model.sides[entry.kind] ?? ModelSegment.Side()
            for key in side.keys.sorted().prefix(count) {
                side.keys.remove(key)
            }
            let least = side.keys.min()
            let isTooLow = least.map { $0 > entry.key } ?? true
            if isTooLow { side.raiseMark(to: least) }
            model.sides[entry.kind] = side
            segments[entry.segment] = model
            return isTooLow ? .some(least) : nil
        }
        guard let least else { return }
        try await directory.raise(entry, to: least)
    }

    /// Takes all that can be found.
    ///
    /// - Returns: whether the directory said that there is nothing more.
    func takeAll() async throws -> Bool {
        for kind in [DirectoryKind.ready, .wake] {
            var rounds = 0
            while true {
                let answer = try await directory.look([DirectoryQuestion(kind, limit: 2)]).answers[0]
                if answer.entries.isEmpty, answer.rest == nil { break }
                rounds += 1
                guard rounds < 200 else { return false }
                for entry in answer.entries {
                    try await take(upTo: 2, entry)
                    // Of a segment that was never told to anybody.
                    if client.schedule.segments[entry.segment]?.position == -1 {
                        try await directory.raise(entry, to: nil)
                    }
                }
            }
        }
        return true
    }
}

/// What must be true between any two calls.
enum DirectoryClaims {
    /// What is wrong with a directory; nil if nothing is.
    static func problem(_ segments: [Int: ModelSegment], _ look: Schedule.Look) -> String? {
        guard let tube = TubeName("t"), let root = look(ScheduledWork.layout.tubeKey(tube)),
            let incarnation = root.int("inc")
        else { return segments.values.contains { !$0.isEmpty } ? "The tube's record is gone." : nil }
        let leaves = (0..<ScheduledWork.leaves).map { leaf in
            look(ScheduledWork.layout.leafKey(incarnation: incarnation, leaf: leaf))
        }
        for kind in DirectoryKind.allCases {
            let listed = (0..<leaves.count).map { leaf in
                value(root, kind, leaf).flatMap { RootEntry(kind, leaf: leaf, $0) }?.key
            }
            for (leaf, record) in leaves.enumerated() {
                guard let mark = record.map({ LeafMark($0, kind) })?.key else { continue }
                guard let key = listed[leaf], key <= mark else {
                    return "Leaf \(leaf) has the mark \(mark) and is listed under \(String(describing: listed[leaf]))."
                }
            }
            for (number, segment) in segments where segment.position >= 0 && !segment.isClosed {
                guard let side = segment.sides[kind], let least = side.mark ?? side.keys.min() else { continue }
                let place = Place(segment.position)
                let entry = leaves[place.leaf].flatMap { value($0, kind, place.offset) }
                    .flatMap { DirectoryEntry(kind, position: segment.position, $0) }
                let bound = min(least, side.keys.min() ?? least)
                guard let entry, entry.segment == number, entry.key <= bound, let root = listed[place.leaf],
                    root <= bound
                else {
                    return """
                        Segment \(number) has \(side), its leaf lists it as \(String(describing: entry)), \
                        and the root its leaf under \(String(describing: listed[place.leaf])).
                        """
                }
            }
        }
        return nil
    }

    private static func value(_ record: Record, _ kind: DirectoryKind, _ index: Int) -> Value? {
        record[kind.bin]?.map?[.integer(Int64(index))]
    }
}

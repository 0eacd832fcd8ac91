import Aerospike
import NIOCore

/// A condition that ends with a number, all before which is packed once.
struct NumberCondition: Sendable {
    private let start: [UInt8]

    /// - Parameter make: makes the condition of its last operand.
    init(_ make: (Exp<Int>) -> Exp<Bool>) {
        // The number is the last that is packed, and this one takes its full width: its tag, and eight bytes.
        start = make(Exp<Int>(.max)).packed.dropLast(8)
    }

    /// Packs the condition with a number that is not negative: in its full width, which the tag says.
    fileprivate func pack(_ number: Int64, into packed: inout [UInt8]) {
        packed += start
        withUnsafeBytes(of: number.bigEndian) { packed += $0 }
    }
}

/// Conditions that all have to hold, on their way into one filter.
struct WorkConditions {
    /// A list's head with its count to come, the code of "and", and the conditions.
    private var packed: [UInt8] = []
    private var count = 0

    init() {
        packed.reserveCapacity(160)
        packed += Self.heads[0]
    }

    mutating func add(_ condition: NumberCondition, _ number: Int64) {
        condition.pack(number, into: &packed)
        count += 1
    }

    mutating func add(_ condition: Exp<Bool>) {
        packed += condition.packed
        count += 1
    }

    /// The filter; of at least one condition.
    consuming func filter() -> Exp<Bool> {
        let head = count < Self.heads.count ? Self.heads[count] : Self.head(count)
        if count == 1 {
            packed.removeFirst(Self.heads[0].count)
        } else if head.count == Self.heads[0].count {
            for index in head.indices { packed[index] = head[index] }
        } else {
            packed.replaceSubrange(0..<Self.heads[0].count, with: head)
        }
        return Exp(packed: packed)
    }

    private static let heads = (0..<8).map { head($0) }

    /// The head of a list of so many conditions and the code before them, and the code.
    private static func head(_ count: Int) -> [UInt8] {
        var head = ByteBuffer()
        head.packListHeader(count + 1)
        head.packUnsigned(UInt64(ExpCode.and.rawValue))
        return Array(head.readableBytesView)
    }
}

// MARK: - The conditions that there are

extension WorkConditions {
    private static let isNextSlot = NumberCondition { .int(bin: SegmentBin.nextSlot) == $0 }
    private static let isOpen: Exp<Bool> = !Exp<Bool>.exists(bin: SegmentBin.closed)
    private static let isEpoch: [DirectoryKind: NumberCondition] = Dictionary(
        uniqueKeysWithValues: DirectoryKind.allCases.map { kind in
            (kind, NumberCondition { .int(bin: SegmentBin.epoch(kind)) == $0 })
        }
    )

    /// Whether the least entry is that of a ready job.
    private static let someReady: Exp<Bool> =
        Exp<Value.Map>.map(bin: SegmentBin.jobs)
        .list(at: [.mapRank(0)]).get(.index(0), .value(Int.self)) == Exp<Int>(0)

    /// Those that a work is done under.
    init(_ work: SegmentWork, _ worker: SegmentWorker, _ sequence: Int64) {
        self.init()
        if let predecessor = work.predecessor {
            add(worker.isBehind, predecessor)
        } else {
            add(worker.isNext, sequence)
        }
        if !work.appends.isEmpty || work.closes {
            add(Self.isNextSlot, Int64(work.firstSlot))
            add(Self.isOpen)
        }
        for (slot, entry) in work.expected.sorted(by: { $0.key < $1.key }) { add(Self.isStill(entry, at: slot)) }
        for (kind, listing) in work.listings {
            if let isEpoch = Self.isEpoch[kind] { add(isEpoch, Int64(listing.epoch)) }
        }
        if work.onlyPops { add(Self.someReady) }
    }

    /// Whether an entry is in the state, and the place of its state, that it was seen in.
    private static func isStill(_ entry: JobEntry, at slot: Int) -> Exp<Bool> {
        let order = entry.order(slot: slot)
        let found = Exp<Value.Map>.map(bin: SegmentBin.jobs).list(at: [.mapKey(.integer(Int64(slot)))])
        return .all(
            found.get(.index(0), .value(Int.self)) == Exp<Int>(Int(order.0)),
            found.get(.index(1), .value(Int.self)) == Exp<Int>(Int(order.1)),
            found.get(.index(2), .value(Int.self)) == Exp<Int>(Int(order.2))
        )
    }
}

import Aerospike
import NIOCore

/// A condition that ends with a number, all before which is packed once.
struct NumberCondition: Sendable {
    private let start: [UInt8]

    /// - Parameter make: makes the condition of its last operand.
    init(_ make: (Exp<Int>) -> Exp<Bool>) {
        // The number is the last that is packed, and 0 is packed in one byte.
        start = make(Exp<Int>(0)).packed.dropLast()
    }

    fileprivate func pack(_ number: Int64, into buffer: inout ByteBuffer) {
        buffer.writeBytes(start)
        buffer.packInteger(number)
    }
}

/// Conditions that all have to hold, on their way into one filter.
struct WorkConditions {
    private var packed = ByteBuffer()
    private var count = 0

    mutating func add(_ condition: NumberCondition, _ number: Int64) {
        condition.pack(number, into: &packed)
        count += 1
    }

    mutating func add(_ condition: Exp<Bool>) {
        packed.writeBytes(condition.packed)
        count += 1
    }

    /// The filter; of at least one condition.
    var filter: Exp<Bool> {
        guard count > 1 else { return Exp(packed: Array(packed.readableBytesView)) }
        var whole = ByteBuffer()
        whole.reserveCapacity(4 + packed.readableBytes)
        whole.packListHeader(count + 1)
        whole.packUnsigned(UInt64(ExpCode.and.rawValue))
        whole.writeImmutableBuffer(packed)
        return Exp(packed: Array(whole.readableBytesView))
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
        packed.reserveCapacity(128)
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

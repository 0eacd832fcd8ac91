import Aerospike

/// The type of one step on the way to what is nested (aerospike-server 8.1, base/proto.h, `AS_CDT_CTX_*`).
struct CollectionStep {
    /// What a step is found by.
    enum Place: UInt64 {
        case index = 0
        case rank = 1
        case key = 2
        case value = 3
    }

    private let type: UInt64

    init(type: UInt64) {
        self.type = type
    }

    /// Whether a server knows the type; what is created has to be a list or a map.
    var isKnown: Bool {
        type & 0x0f <= 3 && (isIntoList || isIntoMap || type & 0x1c0 == 0)
    }

    var place: Place { Place(rawValue: type & 0x0f) ?? .index }
    var isIntoList: Bool { type & 0x10 != 0 }
    var isIntoMap: Bool { type & 0x20 != 0 }
    /// Whether what is missing is created.
    var creates: Bool { type & 0xc0 != 0 }
    var persistsIndex: Bool { type & 0x100 != 0 }

    /// Whether an index beyond the end of a list is allowed, filling what is between with nil.
    var pads: Bool { type & 0x1c0 == 0x80 }

    /// How a list is kept that the step creates.
    var listOrder: ListOrder { type & 0xc0 == 0xc0 ? .ordered : .unordered }

    /// How a map is sorted that the step creates.
    var mapOrder: MapOrder {
        switch type & 0xc0 {
        case 0x80: .keyOrdered
        case 0xc0: .keyValueOrdered
        default: .unordered
        }
    }

    /// How many elements of nil come before the one that is created at an index that the list does not have.
    func padding(of list: Value.List, to index: Int64) throws(Refusal) -> Int {
        let total = list.elements.count
        // One that is created may be counted from the end, but only as the last.
        guard index >= -1 || list.order == .unordered || place == .rank else {
            throw .harmful("creating an element at \(index)")
        }
        if list.order == .ordered || index == Int64(total) || (total == 0 && index == -1) {
            return 0
        }
        guard pads else { throw .notApplicable("no index \(index) of \(total)") }
        guard index >= 0 else { throw .harmful("padding to an index of \(index)") }
        guard index <= Int64(ListWriter.paddingMax) else { throw Refusal(.recordTooBig, "an index of \(index)") }
        return Int(index) - total
    }
}

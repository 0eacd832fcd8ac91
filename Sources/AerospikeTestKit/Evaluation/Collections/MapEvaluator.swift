import Aerospike

/// Applies operations to a map (aerospike-server 8.1, base/particle_map.c, `cdt_process_state_packed_map_*`).
enum MapEvaluator {
    /// The operations that are no selectors (base/proto.h, `AS_CDT_OP_MAP_*`).
    private enum Code: Int64 {
        case setOrder = 64
        case add = 65
        case addItems = 66
        case put = 67
        case putItems = 68
        case replace = 69
        case replaceItems = 70
        case increment = 73
        case decrement = 74
        case clear = 75
        case size = 96
    }

    static func read(
        _ map: Value.Map,
        _ head: CollectionCallReader.Head,
        _ reader: inout CollectionCallReader
    ) throws(Refusal) -> Value? {
        if let (returning, selector) = try reader.mapSelector(head, isRemoval: false) {
            return try MapSelection(map: map, returning: returning).select(selector).answer
        }
        guard head.code == Code.size.rawValue else { throw .parameter("\(head.code) does not read a map") }
        return .count(map.entries.count)
    }

    static func modify(
        _ site: CollectionSite,
        _ head: CollectionCallReader.Head,
        _ reader: inout CollectionCallReader
    ) throws(Refusal) -> CollectionEffect {
        switch Code(rawValue: head.code) {
        case .setOrder:
            let arguments = try reader.arguments([.number], of: head)
            var writer = MapWriter(site, flags: 0)
            try writer.setFlags(arguments.flags(0))
            return writer.effect
        case .add, .put, .replace: return try put(site, head, &reader)
        case .addItems, .putItems, .replaceItems: return try putItems(site, head, &reader)
        case .increment, .decrement:
            let arguments = try reader.arguments([.compared, .compared, .number], of: head, optional: 2)
            var writer = MapWriter(site, flags: arguments.flags(2))
            try writer.increment(
                arguments[0],
                by: arguments.optional(1),
                isDifference: head.code == Code.decrement.rawValue
            )
            return writer.effect
        case .clear:
            guard var map = site.value?.map else { return .nothing }
            map.entries = []
            return .writing(map)
        default:
            return try remove(site, head, &reader)
        }
    }

    private static func put(
        _ site: CollectionSite,
        _ head: CollectionCallReader.Head,
        _ reader: inout CollectionCallReader
    ) throws(Refusal) -> CollectionEffect {
        let policyCount = policyCount(head)
        let kinds = [.stored, .stored] + [CollectionCallReader.Kind](repeating: .number, count: policyCount)
        let arguments = try reader.arguments(kinds, of: head, optional: policyCount)
        var writer = MapWriter(site, flags: arguments.flags(2))
        try writer.put(arguments[0], arguments[1], flags(head, arguments.flags(3)))
        return writer.effect
    }

    private static func putItems(
        _ site: CollectionSite,
        _ head: CollectionCallReader.Head,
        _ reader: inout CollectionCallReader
    ) throws(Refusal) -> CollectionEffect {
        if head.code == Code.replaceItems.rawValue, site.isMissing {
            throw Refusal(.elementNotFound, "no map to replace entries of")
        }
        let policyCount = policyCount(head)
        let kinds = [.stored] + [CollectionCallReader.Kind](repeating: .number, count: policyCount)
        let arguments = try reader.arguments(kinds, of: head, optional: policyCount)
        var writer = MapWriter(site, flags: arguments.flags(1))
        try writer.put(contentsOf: arguments[0], flags(head, arguments.flags(2)))
        return writer.effect
    }

    /// How many arguments tell a policy: the map's flags, and what may be written where the code does not tell.
    private static func policyCount(_ head: CollectionCallReader.Head) -> Int {
        switch Code(rawValue: head.code) {
        case .put, .putItems: 2
        case .add, .addItems: 1
        default: 0
        }
    }

    private static func flags(_ head: CollectionCallReader.Head, _ flags: UInt64) -> MapWriteFlags {
        switch Code(rawValue: head.code) {
        case .add, .addItems: .createOnly
        case .replace, .replaceItems: .updateOnly
        default: MapWriteFlags(rawValue: UInt8(truncatingIfNeeded: flags))
        }
    }

    private static func remove(
        _ site: CollectionSite,
        _ head: CollectionCallReader.Head,
        _ reader: inout CollectionCallReader
    ) throws(Refusal) -> CollectionEffect {
        guard (76...79).contains(head.code) || (81...89).contains(head.code) else {
            throw .parameter("\(head.code) does not change a map")
        }
        guard var map = site.value?.map else { return .nothing }
        guard let (returning, selector) = try reader.mapSelector(head, isRemoval: true) else { return .nothing }
        let selection = try MapSelection(map: map, returning: returning).select(selector)
        guard let remaining = selection.removal.remaining(of: map.entries) else {
            return .answering(selection.answer)
        }
        map.entries = remaining
        return .writing(map, answering: selection.answer)
    }
}

/// Which entries of a map an operation gets or removes.
///
/// The codes are those of aerospike-server 8.1, base/proto.h, `AS_CDT_OP_MAP_*`.
public struct MapSelector: Sendable, Hashable {
    package let getCode: UInt8
    package let removeCode: UInt8
    private let arguments: [Argument]

    private enum Argument: Hashable {
        case number(Int)
        case count(UInt64)
        case value(Value)
    }

    private init(get getCode: UInt8, remove removeCode: UInt8, _ arguments: [Argument?]) {
        self.getCode = getCode
        self.removeCode = removeCode
        self.arguments = arguments.compactMap { $0 }
    }

    private static func count(_ count: Int?) -> Argument? {
        count.map { .count(UInt64(max(0, $0))) }
    }

    /// The entry under a key.
    public static func key(_ key: Value) -> MapSelector {
        .init(get: 97, remove: 76, [.value(key)])
    }

    /// The entries under some keys.
    public static func keys(in keys: [Value]) -> MapSelector {
        .init(get: 107, remove: 81, [.value(.list(Value.List(keys)))])
    }

    /// The entries whose keys are from one on and less than another.
    ///
    /// - Parameters:
    ///   - first: the least; nil for no bound.
    ///   - end: the least that is too great; nil for no bound.
    /// - Returns: the selector.
    public static func keys(from first: Value?, upTo end: Value?) -> MapSelector {
        .init(get: 103, remove: 84, [.value(first ?? .null), end.map { .value($0) }])
    }

    /// Entries near a key in the order of keys, whether the map has it or not.
    ///
    /// - Parameters:
    ///   - key: the key.
    ///   - index: how far from the key's index to begin.
    ///   - count: how many; nil for all.
    /// - Returns: the selector.
    public static func keys(near key: Value, index: Int, count: Int? = nil) -> MapSelector {
        .init(get: 109, remove: 88, [.value(key), .number(index), Self.count(count)])
    }

    /// The entry at an index in the order of keys; negative ones count from the end.
    public static func index(_ index: Int) -> MapSelector {
        .init(get: 98, remove: 77, [.number(index)])
    }

    /// Entries from an index on in the order of keys.
    ///
    /// - Parameters:
    ///   - index: the first; negative ones count from the end.
    ///   - count: how many; nil for all.
    /// - Returns: the selector.
    public static func indexes(from index: Int, count: Int? = nil) -> MapSelector {
        .init(get: 104, remove: 85, [.number(index), Self.count(count)])
    }

    /// The entry with a rank: 0 has the least value, -1 the greatest.
    public static func rank(_ rank: Int) -> MapSelector {
        .init(get: 100, remove: 79, [.number(rank)])
    }

    /// Entries from a rank on.
    ///
    /// - Parameters:
    ///   - rank: the first; 0 has the least value, -1 the greatest.
    ///   - count: how many; nil for all.
    /// - Returns: the selector.
    public static func ranks(from rank: Int, count: Int? = nil) -> MapSelector {
        .init(get: 106, remove: 87, [.number(rank), Self.count(count)])
    }

    /// Every entry whose value is equal to this.
    public static func value(_ value: Value) -> MapSelector {
        .init(get: 102, remove: 82, [.value(value)])
    }

    /// Every entry whose value is equal to one of these.
    public static func values(in values: [Value]) -> MapSelector {
        .init(get: 108, remove: 83, [.value(.list(Value.List(values)))])
    }

    /// Every entry whose value is from one on and less than another.
    ///
    /// - Parameters:
    ///   - first: the least; nil for no bound.
    ///   - end: the least that is too great; nil for no bound.
    /// - Returns: the selector.
    public static func values(from first: Value?, upTo end: Value?) -> MapSelector {
        .init(get: 105, remove: 86, [.value(first ?? .null), end.map { .value($0) }])
    }

    /// Entries ranked near a value, whether the map has it or not.
    ///
    /// - Parameters:
    ///   - value: the value.
    ///   - rank: how far from the value's rank to begin.
    ///   - count: how many; nil for all.
    /// - Returns: the selector.
    public static func values(near value: Value, rank: Int, count: Int? = nil) -> MapSelector {
        .init(get: 110, remove: 89, [.value(value), .number(rank), Self.count(count)])
    }

    package func addArguments(to call: inout CollectionCall) {
        for argument in arguments {
            switch argument {
            case .number(let number): call.add(number)
            case .count(let count): call.add(unsigned: count)
            case .value(let value): call.add(value)
            }
        }
    }
}

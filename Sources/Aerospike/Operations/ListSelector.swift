/// Which elements of a list an operation gets or removes.
///
/// The codes are those of aerospike-server 8.1, base/proto.h, `AS_CDT_OP_LIST_*`.
public struct ListSelector: Sendable, Hashable {
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

    /// The element at an index; negative ones count from the end.
    public static func index(_ index: Int) -> ListSelector {
        .init(get: 19, remove: 32, [.number(index)])
    }

    /// Elements from an index on.
    ///
    /// - Parameters:
    ///   - index: the first; negative ones count from the end.
    ///   - count: how many; nil for all.
    /// - Returns: the selector.
    public static func indexes(from index: Int, count: Int? = nil) -> ListSelector {
        .init(get: 24, remove: 37, [.number(index), count.map { .count(UInt64(max(0, $0))) }])
    }

    /// The element with a rank: 0 is the least, -1 the greatest.
    public static func rank(_ rank: Int) -> ListSelector {
        .init(get: 21, remove: 34, [.number(rank)])
    }

    /// Elements from a rank on.
    ///
    /// - Parameters:
    ///   - rank: the first; 0 is the least element, -1 the greatest.
    ///   - count: how many; nil for all.
    /// - Returns: the selector.
    public static func ranks(from rank: Int, count: Int? = nil) -> ListSelector {
        .init(get: 26, remove: 39, [.number(rank), count.map { .count(UInt64(max(0, $0))) }])
    }

    /// Every element equal to a value.
    public static func value(_ value: Value) -> ListSelector {
        .init(get: 22, remove: 35, [.value(value)])
    }

    /// Every element equal to one of some values.
    public static func values(in values: [Value]) -> ListSelector {
        .init(get: 23, remove: 36, [.value(.list(Value.List(values)))])
    }

    /// Every element from a value on and less than another.
    ///
    /// - Parameters:
    ///   - first: the least; nil for no bound.
    ///   - end: the least that is too great; nil for no bound.
    /// - Returns: the selector.
    public static func values(from first: Value?, upTo end: Value?) -> ListSelector {
        .init(get: 25, remove: 38, [.value(first ?? .null), end.map { .value($0) }])
    }

    /// Elements ranked near a value, whether the list has it or not.
    ///
    /// - Parameters:
    ///   - value: the value.
    ///   - rank: how far from the value's rank to begin.
    ///   - count: how many; nil for all.
    /// - Returns: the selector.
    public static func values(near value: Value, rank: Int, count: Int? = nil) -> ListSelector {
        .init(
            get: 27,
            remove: 40,
            [.value(value), .number(rank), count.map { .count(UInt64(max(0, $0))) }]
        )
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

import Aerospike
import NIOCore

// Calls on lists, maps, blobs and sketches, such as the builder makes them.
extension ExpressionGenerator {
    /// An argument: a small value, or a number that is to be evaluated.
    private mutating func place() -> Exp<Int> {
        chance(70) ? Exp(number(-4..<5)) : deeper { $0.int() }
    }

    private mutating func listItem() -> ExpListItem {
        chance(50) ? .index(place()) : .rank(place())
    }

    private mutating func listItems() -> ExpListItems {
        switch number(0..<8) {
        case 0: return .value(smallValue())
        case 1: return .values(in: deeper { $0.list() })
        case 2: return .values(from: smallValue(), upTo: chance(30) ? .infinity : smallValue())
        case 3: return .indexes(from: place(), count: place())
        case 4: return .indexes(from: place())
        case 5: return .ranks(from: place())
        case 6: return .values(near: smallValue(), rank: place())
        default: return .ranks(from: place(), count: place())
        }
    }

    private mutating func mapItem() -> ExpMapItem {
        switch number(0..<4) {
        case 0: return .index(place())
        case 1: return .rank(place())
        default: return .key(pick(Value.string("a"), "b", 1, 7, "none"))
        }
    }

    private mutating func mapItems() -> ExpMapItems {
        switch number(0..<8) {
        case 0: return .keys(in: deeper { $0.list() })
        case 1: return .keys(from: pick(Value.integer(0), "a"), upTo: pick(Value.integer(5), "b", .infinity))
        case 2: return .value(smallValue())
        case 3: return .values(in: deeper { $0.list() })
        case 4: return .values(from: smallValue(), upTo: chance(30) ? .infinity : smallValue())
        case 5: return .indexes(from: place(), count: place())
        case 6: return .keys(near: "a", index: place())
        default: return .ranks(from: place())
        }
    }

    // MARK: By the type of the result

    mutating func boolCall() -> Exp<Bool> {
        chance(50)
            ? deeper { $0.list() }.get(listItems(), .exists) : deeper { $0.map() }.get(mapItems(), .exists)
    }

    mutating func intCall() -> Exp<Int> {
        switch number(0..<14) {
        case 0: return deeper { $0.list() }.size()
        case 1: return deeper { $0.list() }.get(listItem(), .value(Int.self))
        case 2: return deeper { $0.list() }.get(listItem(), pick(.index, .rank, .reverseIndex, .reverseRank))
        case 3: return deeper { $0.list() }.get(listItems(), chance(70) ? .count : .count.inverted)
        case 4: return deeper { $0.map() }.size()
        case 5: return deeper { $0.map() }.get(mapItem(), .value(Int.self))
        case 6: return deeper { $0.map() }.get(mapItem(), chance(50) ? .key(Int.self) : .rank)
        case 7: return deeper { $0.map() }.get(mapItems(), chance(70) ? .count : .count.inverted)
        case 8: return deeper { $0.blob() }.nonzeroBitCount(at: place(), count: bitCount())
        case 9: return deeper { $0.blob() }.firstIndex(of: deeper { $0.bool() }, at: place(), count: bitCount())
        case 10: return deeper { $0.blob() }.lastIndex(of: chance(50), at: place(), count: bitCount())
        case 11: return deeper { $0.blob() }.integer(at: place(), count: bitCount(), signed: chance(50))
        case 12: return deeper { $0.sketch() }.mayContain(deeper { $0.list() })
        default:
            let sketch = deeper { $0.sketch() }
            return chance(60) ? sketch.count() : sketch.unionCount(Self.sketches)
        }
    }

    mutating func stringCall() -> Exp<String> {
        chance(50)
            ? deeper { $0.list() }.get(listItem(), .value(String.self))
            : deeper { $0.map() }.get(mapItem(), chance(50) ? .value(String.self) : .key(String.self))
    }

    mutating func listCall() -> Exp<Value.List> {
        let list = deeper { $0.list() }
        let policy = chance(60) ? nil : ListWritePolicy(order: pick(.unordered, .ordered), flags: pick([], .addUnique))
        switch number(0..<16) {
        case 0:
            return chance(50) ? list.appending(smallValue(), policy: policy) : list.appending(place(), policy: policy)
        case 1: return list.appending(contentsOf: deeper { $0.list() }, policy: policy)
        case 2: return list.inserting(smallValue(), at: place())
        case 3: return list.setting(place(), to: smallValue())
        case 4: return list.incrementing(place(), by: deeper { $0.int() })
        case 5: return list.cleared()
        case 6: return list.sorted(pick([], .descending, .dropDuplicates))
        case 7: return list.removing(listItem())
        case 8: return list.removing(listItems())
        case 9: return list.keeping(listItems())
        case 10, 11: return list.get(listItems(), .value)
        case 12: return deeper { $0.map() }.get(mapItems(), chance(50) ? .value : .key)
        case 13: return list.get(listItem(), .value(Value.List.self))
        case 14: return deeper { $0.sketch() }.describe()
        default: return list.list(at: [chance(50) ? .listIndex(number(-2..<3)) : .listRank(-1)]).appending(smallValue())
        }
    }

    mutating func mapCall() -> Exp<Value.Map> {
        let map = deeper { $0.map() }
        let key = pick(Value.string("a"), "b", 1, 7, "new")
        switch number(0..<9) {
        case 0: return map.putting(key, smallValue())
        case 1:
            return map.putting(
                key,
                deeper { $0.int() },
                policy: MapWritePolicy(order: .keyOrdered, flags: pick([], .createOnly))
            )
        case 2: return map.putting(contentsOf: deeper { $0.map() })
        case 3: return map.incrementing(key, by: deeper { $0.int() })
        case 4: return map.removing(mapItem())
        case 5: return map.removing(mapItems())
        case 6: return map.keeping(mapItems())
        case 7: return map.get(mapItems(), pick(.keyValue, .orderedMap, .unorderedMap))
        default: return map.cleared()
        }
    }

    // MARK: Bits and sketches

    private mutating func bitCount() -> Exp<Int> {
        chance(80) ? Exp(number(1..<20)) : deeper { $0.int() }
    }

    mutating func blobCall() -> Exp<ByteBuffer> {
        let blob = deeper { $0.blob() }
        let flags: BitWriteFlags = chance(70) ? [] : .noFail
        let other = deeper { $0.blob() }
        switch number(0..<14) {
        case 0: return blob.resized(to: place(), pick([], .fromFront, .growOnly), flags: flags)
        case 1: return blob.inserting(other, atByte: place(), flags: flags)
        case 2: return blob.removing(fromByte: place(), byteCount: place(), flags: flags)
        case 3: return blob.settingBits(other, at: place(), count: bitCount(), flags: flags)
        case 4: return blob.formingOr(other, at: place(), count: bitCount(), flags: flags)
        case 5: return blob.formingXor(other, at: place(), count: bitCount(), flags: flags)
        case 6: return blob.formingAnd(other, at: place(), count: bitCount(), flags: flags)
        case 7: return blob.inverting(at: place(), count: bitCount(), flags: flags)
        case 8: return blob.shiftingLeft(at: place(), count: bitCount(), by: place(), flags: flags)
        case 9: return blob.shiftingRight(at: place(), count: bitCount(), by: place(), flags: flags)
        case 10: return blob.adding(place(), at: place(), count: bitCount(), signed: chance(50), overflow: .wrap)
        case 11: return blob.subtracting(place(), at: place(), count: bitCount(), overflow: pick(.fail, .saturate))
        case 12: return blob.settingInteger(place(), at: place(), count: bitCount(), flags: flags)
        default: return blob.bits(at: place(), count: bitCount())
        }
    }

    private static let sketches: Exp<Value.List> = [EvaluationRecord.sketch]

    mutating func sketch() -> Exp<HyperLogLog> {
        guard !isLeaf() else {
            return pick(.hyperLogLog(bin: "sketch"), .hyperLogLog(bin: "none"), .hyperLogLog(bin: "bytes"))
        }
        let sketch = deeper { $0.sketch() }
        switch number(0..<3) {
        case 0: return sketch.adding(deeper { $0.list() }, indexBits: pick(nil, 5))
        case 1: return sketch.union(Self.sketches)
        default: return sketch.created(indexBits: pick(nil, 4, 9), minHashBits: pick(nil, 0, 5))
        }
    }
}

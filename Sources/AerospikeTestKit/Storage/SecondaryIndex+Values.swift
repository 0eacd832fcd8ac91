import Aerospike
import NIOCore

extension SecondaryIndex {
    /// Text and bytes as long as this are not indexed (aerospike-server 8.1, sindex/sindex.h, `MAX_STRING_KSIZE`).
    static let valueBytesMax = 2048
    /// The length that a name stays below (sindex/sindex.h, `INAME_MAX_SZ`).
    static let nameBytesMax = 64

    /// The values under which a record is found, each once.
    func values(of record: StoredRecord, _ now: ServerTime) throws(Refusal) -> [Value] {
        guard setName == nil || setName == record.key.setName else { return [] }
        guard let root = try root(of: record, now) else { return [] }
        var values: [Value] = []
        switch (collection, root) {
        case (.none, _): add(root, to: &values)
        case (.listElements, .list(let list)):
            for element in list {
                add(element, to: &values)
            }
        case (.mapKeys, .map(let map)):
            for entry in map {
                add(entry.key, to: &values)
            }
        case (.mapValues, .map(let map)):
            for entry in map {
                add(entry.value, to: &values)
            }
        default: break
        }
        return values
    }

    private func add(_ value: Value, to values: inout [Value]) {
        let isIndexed =
            switch (type, value) {
            case (.integer, .integer): true
            case (.string, .string(let text)): text.utf8.count < SecondaryIndex.valueBytesMax
            case (.blob, .blob(let bytes)): bytes.readableBytes < SecondaryIndex.valueBytesMax
            default: false
            }
        if isIndexed, !values.contains(value) {
            values.append(value)
        }
    }

    /// What is indexed of a record: a bin, the result of an expression, or what is inside of either.
    private func root(of record: StoredRecord, _ now: ServerTime) throws(Refusal) -> Value? {
        let value: Value?
        if let expression {
            value = try ExpressionEvaluator.evaluate(expression, for: RecordWork(record: record, now: now).view)
        } else {
            value = record.value(of: binName)
        }
        guard let value, let context else { return value }
        do {
            return try value.element(at: context)
        } catch {
            // Where there is nothing, nothing is indexed.
            guard error.isUnknown else { return nil }
            throw error
        }
    }

    /// The number by which a query goes on after a value: an integer itself, or a hash (sindex/sindex.h,
    /// `as_sindex_string_to_bval`; it means something only to the node that gave it).
    static func position(of value: Value) -> Int64 {
        switch value {
        case .integer(let integer): return integer
        case .string(let text): return Int64(bitPattern: hash(text.utf8))
        case .blob(let bytes): return Int64(bitPattern: hash(bytes.readableBytesView))
        default: return 0
        }
    }

    /// FNV-1a.
    private static func hash(_ bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}

extension Value {
    /// What is inside a list or map at the end of a packed way; nil if there is nothing.
    ///
    /// The last step is asked for as an operation would ask for it, after the steps before.
    fileprivate func element(at context: ByteBuffer) throws(Refusal) -> Value? {
        var bytes = context
        guard let count = bytes.readPackedListCount(), count >= 2, count % 2 == 0 else {
            throw Refusal(.invalidRequest, "a way of no steps")
        }
        var steps: [(type: Int64, place: ByteBuffer)] = []
        while steps.count < count / 2 {
            guard let type = bytes.readPackedInteger(), let place = bytes.readPackedElement() else {
                throw Refusal(.invalidRequest, "a way that does not end")
            }
            steps.append((type, place))
        }
        let last = steps.removeLast()
        guard let code = Value.readCodes[last.type & 0x3f] else {
            throw .unknown("steps of type \(last.type) on the way to what is indexed")
        }
        var call = ByteBuffer()
        if !steps.isEmpty {
            call.packListHeader(3)
            call.packUnsigned(0xff)
            call.packListHeader(steps.count * 2)
            for step in steps {
                call.packInteger(step.type)
                call.writeImmutableBuffer(step.place)
            }
        }
        call.packListHeader(3)
        call.packUnsigned(code)
        call.packUnsigned(CollectionReturn.value.rawValue)
        call.writeImmutableBuffer(last.place)
        let answer = try CollectionEvaluator.apply(call, to: self, modifies: false).answer
        // What is found by its value is answered as a list of all that are equal.
        if last.type & 0xf == 3, case .list(let found)? = answer {
            return found.first
        }
        return answer
    }

    /// The codes of reading by each type of step: index, rank, and in maps key, and value (base/proto.h,
    /// `AS_CDT_OP_*_GET_BY_*`).
    private static let readCodes: [Int64: UInt64] = [
        0x10: 19, 0x11: 21, 0x13: 22, 0x20: 98, 0x21: 100, 0x22: 97, 0x23: 102,
    ]
}

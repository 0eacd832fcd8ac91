import Aerospike
import AerospikeTestKit
import AerospikeTestSupport
import NIOCore

/// Makes up calls, the same for the same seed.
struct RandomCalls {
    /// A request, and which form its reply has.
    struct Call {
        var bytes: ByteBuffer
        var form: RawConnection.ReplyForm
        /// For people, when it was answered differently.
        var description: String
    }

    private static let binNames = ["a", "b", "c", "d", "e"]
    private static let flagMasks: [(offset: Int, mask: UInt8)] = [(1, 0b0110_0011), (2, 0b1011_1111), (3, 0b0011_1010)]

    var generator: SeededNumbers
    let setName: String
    let keys: [Key]
    /// Whether calls may have operations on lists and maps.
    var hasCollections = true
    /// A key that was asked for in another set.
    private var stray: Key?

    init(seed: UInt64, setName: String, keyCount: Int = 6) {
        generator = SeededNumbers(seed: seed)
        self.setName = setName
        keys = (0..<keyCount).map { number in
            let name = "\(setName)-\(seed)-\(number)"
            return Key(namespace: "test", set: setName, .string(name))
        }
    }

    mutating func next() throws -> Call {
        switch number(0..<40) {
        case 0: return try batch()
        case 1: return try query()
        default:
            let request = self.request()
            var bytes = ByteBuffer()
            try bytes.writeRequest(request, timeoutMilliseconds: 1000)
            var description = "\(request)"
            if chance(1, of: 12) {
                let (offset, mask) = pick(RandomCalls.flagMasks)
                let bit = UInt8(1) << UInt8(number(0..<8)) & mask
                let index = ProtoHeader.byteCount + offset
                bytes.setInteger((bytes.getInteger(at: index, as: UInt8.self) ?? 0) ^ bit, at: index)
                description += " with bit \(bit) of flags \(offset) turned"
            }
            return Call(bytes: bytes, form: .one, description: description)
        }
    }

    // MARK: Calls

    private mutating func batch() throws -> Call {
        // Each record once, since a server may carry parts out in any order.
        let keys = keys.shuffled(using: &generator).prefix(number(1..<6))
        let requests = keys.enumerated().map { (index: UInt32($0.offset + 1), request: request(for: $0.element)) }
        // 0x8 asks for the record that failed.
        let flags = BatchRequest.Flags(rawValue: pick([0x1, 0x9, 0x5, 0x5, 0xd]))
        let batch = BatchRequest(requests, flags: flags)
        var bytes = ByteBuffer()
        try batch.write(into: &bytes, timeoutMilliseconds: 1000)
        return Call(bytes: bytes, form: .many, description: "\(batch)")
    }

    private mutating func query() throws -> Call {
        var query = QueryRequest(namespace: "test", set: setName, taskID: generator.next())
        query.isShort = chance(1, of: 2)
        query.partitionIDs = Set(keys.map { UInt16($0.partitionID) }).sorted()
        query.binNames = chance(1, of: 3) ? nil : binNames()
        query.filter = filter()
        var bytes = ByteBuffer()
        try query.write(into: &bytes, timeoutMilliseconds: 1000)
        return Call(bytes: bytes, form: .manyOrRefusal, description: "\(query)")
    }

    private mutating func request() -> RecordRequest {
        if let stray {
            // Or every later call on the key would find it in the wrong set.
            self.stray = nil
            return .delete(Key(namespace: "test", digest: stray.digest), policy: WritePolicy())
        }
        let key = pick(keys)
        switch number(0..<25) {
        case 0:
            stray = key
            return request(for: Key(namespace: "test", set: pick(["", "\(setName)-other"]), digest: key.digest))
        case 1: return request(for: Key(namespace: "test", set: setName, digest: key.digest, userKey: pick(["x", 1])))
        case 2: return request(for: Key(namespace: "none", set: setName, digest: key.digest))
        default: return request(for: key)
        }
    }

    private mutating func request(for key: Key) -> RecordRequest {
        switch number(0..<12) {
        case 0: return .get(key, bins: nil, policy: readPolicy())
        case 1: return .get(key, bins: binNames(), policy: readPolicy())
        case 2: return .exists(key, policy: readPolicy())
        case 3, 4:
            let bins = (0..<number(0..<4)).map { _ in (binName(), chance(1, of: 6) ? Value.null : value()) }
            return .put(key, bins: bins, policy: writePolicy())
        case 5: return .delete(key, policy: writePolicy())
        default:
            let operations = (0..<number(0..<(chance(1, of: 3) ? 7 : 3))).map { _ in operation() }
            return .operate(key, operations, readPolicy: readPolicy(), writePolicy: writePolicy())
        }
    }

    private mutating func readPolicy() -> ReadPolicy {
        var policy = ReadPolicy()
        policy.filter = filter()
        if chance(1, of: 8) {
            policy.touchTimeToLivePercent = pick([-1, 0, 101])
        }
        return policy
    }

    private mutating func writePolicy() -> WritePolicy {
        var policy = WritePolicy()
        policy.filter = filter()
        if chance(1, of: 3) {
            policy.exists = pick([.createOrUpdate, .updateOnly, .createOnly, .createOrReplace, .replaceOnly])
        }
        if chance(1, of: 5) {
            let generation = UInt32(number(0..<6))
            policy.generation = pick([.equal(generation), .olderThan(generation)])
        }
        if chance(1, of: 4) {
            policy.timeToLive = pick([.never, .unchanged, .seconds(1000), .seconds(400_000_000), .seconds(5000)])
        }
        policy.sendsKey = chance(1, of: 3)
        policy.durableDelete = chance(1, of: 30)
        policy.commitLevel = chance(1, of: 10) ? .master : .all
        return policy
    }

    private mutating func filter() -> Exp<Bool>? {
        guard chance(1, of: 6) else { return nil }
        return pick([
            .int(bin: "a") > 0, true, false, .exists(bin: "b"), .int(bin: "c") == 1, .userKeyExists,
            .string(bin: "b") == "x", .setName == .init(constant: .string(setName)), .isTombstone,
        ])
    }

    // MARK: Operations

    private mutating func operation() -> Operation {
        let bin = binName()
        switch number(0..<28) {
        case 0, 1: return .get(bin)
        case 2, 3: return .put(bin, value())
        case 4: return .put(bin, nil)
        case 5: return .add(bin, number(-3..<4))
        case 6: return .add(bin, Double(number(-3..<4)) / 2)
        case 7: return .append(bin, pick(["", "x", "é"]))
        case 8: return .prepend(bin, ByteBuffer(bytes: [1]))
        case 9: return .touch
        case 10: return chance(1, of: 4) ? .delete : .append(bin, ByteBuffer(bytes: [2, 3]))
        case 11: return chance(1, of: 2) ? .getAll : .prepend(bin, "y")
        case 12: return chance(1, of: 2) ? .getHeader : .add(bin, .max)
        case 13: return chance(1, of: 3) ? rawOperation(bin) : .put(bin, value())
        case 14: return chance(1, of: 12) ? .get("nul\u{0}") : .add(bin, 1)
        default: return evaluation(bin)
        }
    }

    /// An operation whose value may be of any type, or not what its type says.
    private mutating func rawOperation(_ bin: String) -> Operation {
        let kinds: [Operation.Kind] = [.write, .write, .write, .add, .append, .prepend, .read]
        let kind = chance(1, of: 20) ? Operation.Kind(rawValue: UInt8(number(17..<30))) : pick(kinds)
        let types: [UInt8] = [1, 1, 1, 2, 3, 4, 17, 17, 19, 20, 20, 7, 9, 16, 5, 21, 99]
        let sizes = [0, 1, 2, 3, 4, 8, 16]
        let type = ParticleType(rawValue: pick(types))
        var bytes = ByteBuffer(bytes: (0..<pick(sizes)).map { UInt8($0 % 2) })
        if type == .list || type == .map {
            bytes = ByteBuffer(
                bytes: pick([
                    [], [0x90], [0x91, 0x01], [0x92, 0xcc, 0x01, 0xc0], [0x91], [0x80], [0x81, 0x01, 0x02], [0x01],
                    [0x90, 0x01],
                ])
            )
        }
        return Operation(kind, bin: bin, .value(.opaque(type: type, bytes: bytes)))
    }

    /// A call of what is tested in depth elsewhere: here it matters how its answers and failures are handed on.
    private mutating func evaluation(_ bin: String) -> Operation {
        switch number(hasCollections ? 0..<16 : 8..<16) {
        case 0: return .list(bin).append(value())
        case 1: return .list(bin).get(.index(number(-2..<3)))
        case 2: return .list(bin).remove(.index(number(-2..<3)), returning: .value)
        case 3: return .list(bin).size()
        case 4: return .map(bin).put(pick(["k", "l", 1]), value())
        case 5: return .map(bin).get(.key("k"))
        case 6: return .map(bin).remove(.key(pick(["k", "l", 1])), returning: pick([.none, .value, .count]))
        case 7: return .map(bin).size()
        case 8:
            return .read(.int(bin: bin) + 1, as: pick(["x", bin]), flags: chance(1, of: 2) ? .evaluationNoFail : [])
        case 9: return .read(.recordSize, as: "g")
        default:
            var flags = ExpWriteFlags()
            for flag: ExpWriteFlags in [.createOnly, .updateOnly, .allowDelete, .policyNoFail, .evaluationNoFail]
            where chance(1, of: 3) {
                flags.formUnion(flag)
            }
            switch number(0..<3) {
            case 0: return .write(.int(bin: binName()) + 1, to: bin, flags: flags)
            case 1: return .write(.string(bin: binName()), to: bin, flags: flags)
            default: return .write(Exp<Int>(constant: .null), to: bin, flags: flags)
            }
        }
    }

    // MARK: Values

    private mutating func binName() -> String {
        chance(1, of: 60) ? "" : pick(RandomCalls.binNames)
    }

    private mutating func binNames() -> [String] {
        (0..<number(0..<4)).map { _ in binName() }
    }

    private mutating func value() -> Value {
        switch number(0..<14) {
        case 0...3: return .integer(pick([0, 1, -1, 7, 300, .max, .min]))
        case 4: return .double(pick([0, -1.5, 2.25, 1e300]))
        case 5: return .boolean(chance(1, of: 2))
        case 6, 7: return .string(pick(["", "x", "é漢", String(repeating: "z", count: 300)]))
        case 8, 9: return .bytes(pick([[], [1], [0, 255]]))
        case 10, 11: return pick([[], [1, 2], ["x", nil, [3]], [true, 2.5]])
        default: return pick([[:], ["k": 1], ["k": [1], "l": "x"], [1: 2]])
        }
    }

    private mutating func number(_ range: Range<Int>) -> Int {
        Int.random(in: range, using: &generator)
    }

    private mutating func chance(_ part: Int, of whole: Int) -> Bool {
        Int.random(in: 0..<whole, using: &generator) < part
    }

    private mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: elements.indices, using: &generator)]
    }
}

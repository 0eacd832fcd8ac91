import Aerospike
import NIOCore

extension RecordWork {
    /// Carries out one operation of a call that writes (aerospike-server 8.1, transaction/write.c,
    /// `write_master_bin_ops_loop`) and adds what it answers.
    mutating func carryOut(
        _ operation: RequestOperation,
        of request: RequestMessage,
        into places: inout [RecordAnswer.Place]
    ) throws(Refusal) {
        let answersEach = request.header.write.contains(.respondAllOperations)
        var answer: Value?
        switch operation.kind {
        case .touch: return
        case .write: try write(operation)
        case .add, .append, .prepend: try modify(operation)
        case .delete: record.bins.removeAll()
        case .read where operation.isReadOfAllBins(in: request):
            places += record.bins.map { RecordAnswer.Place(.read, $0) }
            return
        case .read, .collectionRead, .bitRead, .hyperLogLogRead, .expressionRead: answer = try read(operation)
        case .expressionModify: try writeExpression(operation)
        case .collectionModify, .bitModify, .hyperLogLogModify: answer = try modifyInside(operation)
        default: throw Refusal(.invalidRequest, "an operation of kind \(operation.kind.rawValue)")
        }
        if answersEach || answer != nil {
            places.append(RecordAnswer.Place(operation.kind, Bin(operation.binName, answer ?? .null)))
        }
    }

    /// Writes a whole bin, or with no value removes it.
    private mutating func write(_ operation: RequestOperation) throws(Refusal) {
        let value: Value? = operation.type == .null ? Optional.none : try operation.particle()
        set(operation.binName, to: value)
    }

    private mutating func modifyInside(_ operation: RequestOperation) throws(Refusal) -> Value? {
        let index = index(of: operation.binName)
        let outcome: CollectionEvaluator.Outcome
        if let index {
            // The record lets go of the value meanwhile, so that it is changed in its place and not copied.
            let value = record.bins[index].value
            record.bins[index].value = .null
            outcome = try RecordWork.evaluate(operation, on: value, modifies: true)
            record.bins[index].value = outcome.bin ?? value
        } else {
            outcome = try RecordWork.evaluate(operation, on: nil, modifies: true)
            set(operation.binName, to: outcome.bin)
        }
        return outcome.answer
    }

    /// Adds to a number, or to either end of text or bytes (base/particle.c, `as_bin_particle_modify_from_client`).
    private mutating func modify(_ operation: RequestOperation) throws(Refusal) {
        guard let index = index(of: operation.binName) else {
            // Whatever the operation is, it makes the bin.
            set(operation.binName, to: try operation.particle())
            return
        }
        guard operation.hasKnownType else { throw Refusal(.invalidRequest, "a value of no known type") }
        let old = record.bins[index].value
        record.bins[index].value =
            operation.kind == .add
            ? try RecordWork.sum(old, operation) : try RecordWork.concatenation(old, operation)
    }

    private static func sum(_ value: Value, _ operation: RequestOperation) throws(Refusal) -> Value {
        switch value {
        case .integer(let old):
            guard operation.type == .integer else { throw Refusal(.incompatibleType, "a sum of other than integers") }
            if operation.value.readableBytes == 16 {
                // A counter of old, which a decrement leaves at 0 at least.
                let amount = operation.value.getInteger(at: operation.value.readerIndex, as: Int64.self) ?? 0
                let sum = UInt64(bitPattern: old) &+ UInt64(bitPattern: amount)
                return .integer(amount < 0 && sum > UInt64(bitPattern: old) ? 0 : Int64(bitPattern: sum))
            }
            guard case .integer(let amount) = try operation.particle() else { return value }
            return .integer(old &+ amount)
        case .double(let old):
            guard operation.type == .double else { throw Refusal(.incompatibleType, "a sum of other than doubles") }
            guard case .double(let amount) = try operation.particle() else { return value }
            return .double(old + amount)
        case .geoJSON: throw Refusal(.server, "a sum with GeoJSON")
        default: throw Refusal(.incompatibleType, "a sum with a bin that holds no number")
        }
    }

    private static func concatenation(_ value: Value, _ operation: RequestOperation) throws(Refusal) -> Value {
        if case .geoJSON = value {
            throw Refusal(.server, "more of GeoJSON")
        }
        let isAppend = operation.kind == .append
        switch value {
        case .string, .blob, .opaque:
            guard value.particleType == operation.type else {
                throw Refusal(.incompatibleType, "more of another type than the bin's")
            }
        default: throw Refusal(.incompatibleType, "more of a bin that holds neither text nor bytes")
        }
        func joined(_ old: ByteBuffer) -> ByteBuffer {
            var first = isAppend ? old : operation.value
            first.writeImmutableBuffer(isAppend ? operation.value : old)
            return first
        }
        switch value {
        case .string(let old):
            guard case .string(let more) = try operation.particle() else { return value }
            return .string(isAppend ? old + more : more + old)
        case .blob(let old): return .blob(joined(old))
        case .opaque(let type, let old): return .opaque(type: type, bytes: joined(old))
        default: return value
        }
    }
}

extension RequestOperation {
    /// Whether the operation reads every bin: without a name, in a request that asks for all (transaction/rw_utils.h,
    /// `op_is_read_all`).
    func isReadOfAllBins(in request: RequestMessage) -> Bool {
        kind == .read && binName.isEmpty && request.header.read.contains(.allBins)
    }

    /// Whether a bin may be of the type (base/particle.c, `safe_particle_type`).
    var hasKnownType: Bool {
        switch type.rawValue {
        case 1...4, 7...12, 16...20, 23: true
        default: false
        }
    }

    /// The value as a bin is to hold it (base/particle_*.c, `*_from_wire`).
    func particle() throws(Refusal) -> Value {
        guard hasKnownType else { throw Refusal(.invalidRequest, "a value of no known type") }
        var bytes = value
        switch type {
        case .integer:
            let integer: Int64? =
                switch bytes.readableBytes {
                case 8: bytes.readInteger()
                case 4: bytes.readInteger(as: UInt32.self).map(Int64.init)
                case 2: bytes.readInteger(as: UInt16.self).map(Int64.init)
                case 1: bytes.readInteger(as: UInt8.self).map(Int64.init)
                default: nil
                }
            guard let integer else { throw Refusal(.invalidRequest, "an integer of \(value.readableBytes) bytes") }
            return .integer(integer)
        case .boolean:
            guard bytes.readableBytes == 1, let byte = bytes.readInteger(as: UInt8.self), byte <= 1 else {
                throw Refusal(.invalidRequest, "a truth value that is neither 0 nor 1")
            }
            return .boolean(byte == 1)
        case .string:
            guard let text = String(validating: bytes.readableBytesView, as: UTF8.self) else {
                throw .unknown("text that is not UTF-8")
            }
            return .string(text)
        default: return try particleOfMany(&bytes)
        }
    }

    private func particleOfMany(_ bytes: inout ByteBuffer) throws(Refusal) -> Value {
        do {
            let value = try bytes.readParticle(type)
            if case .hyperLogLog(let sketch) = value, sketch.readableBytes == 0 {
                throw Refusal(.invalidRequest, "a sketch of no bytes")
            }
            return value
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            switch type {
            case .list, .map: throw Refusal(.server, "\(error)")
            case .geoJSON: throw Refusal(.invalidGeoJSON, "\(error)")
            default: throw Refusal(.invalidRequest, "\(error)")
            }
        }
    }
}

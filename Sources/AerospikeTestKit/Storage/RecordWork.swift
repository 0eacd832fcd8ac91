import Aerospike
import NIOCore

/// A record while a call works on it: what it changes is seen by its later operations and by nobody else.
struct RecordWork {
    /// The record as it will be if the call succeeds.
    var record: StoredRecord
    let now: ServerTime

    init(record: StoredRecord, now: ServerTime) {
        self.record = record
        self.now = now
    }

    func index(of binName: String) -> Int? {
        record.bins.firstIndex { $0.name == binName }
    }

    /// Sets a bin, or with nil removes it.
    mutating func set(_ binName: String, to value: Value?) {
        switch (index(of: binName), value) {
        case (let index?, let value?): record.bins[index].value = value
        case (nil, let value?): record.bins.append(Bin(binName, value))
        case (let index?, nil):
            // A server puts the last bin in the place of the one that went (base/datamodel.h, `as_bin_remove`).
            record.bins.swapAt(index, record.bins.count - 1)
            record.bins.removeLast()
        case (nil, nil): break
        }
    }
}

// MARK: Reading

extension RecordWork {
    /// What an operation that reads answers: nil if there is no such bin, null if there is and the answer is nothing.
    func read(_ operation: RequestOperation) throws(Refusal) -> Value? {
        switch operation.kind {
        case .read: return record.value(of: operation.binName)
        case .expressionRead: return try readExpression(operation)
        case .collectionRead, .bitRead, .hyperLogLogRead:
            guard let value = record.value(of: operation.binName) else { return nil }
            return try RecordWork.evaluate(operation, on: value, modifies: false).answer ?? .null
        default: throw Refusal(.invalidRequest, "an operation of kind \(operation.kind.rawValue) in a read")
        }
    }

    /// Lets an operation on what is inside a bin be carried out by who knows how.
    static func evaluate(
        _ operation: RequestOperation,
        on value: Value?,
        modifies: Bool
    ) throws(Refusal) -> CollectionEvaluator.Outcome {
        switch operation.kind {
        case .collectionRead, .collectionModify:
            try CollectionEvaluator.apply(operation.value, to: value, modifies: modifies)
        case .bitRead, .bitModify:
            try BitEvaluator.apply(operation.value, to: value, modifies: modifies)
        default:
            try HyperLogLogEvaluator.apply(operation.value, to: value, modifies: modifies)
        }
    }
}

// MARK: Expressions

extension RecordWork {
    /// What expressions see of the record.
    var view: ExpressionEvaluator.RecordView {
        var view = ExpressionEvaluator.RecordView(key: record.key)
        view.storesUserKey = record.key.userKey != nil
        view.bins = Dictionary(record.bins.lazy.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
        view.generation = UInt32(record.generation)
        view.lastUpdateNanoseconds = record.lastUpdateNanoseconds
        view.nowNanoseconds = now.nanoseconds
        view.voidTimeSeconds = record.voidTime == 0 ? nil : Int64(record.voidTime) + Record.epochUnixSeconds
        view.recordBytes = record.storedBytes
        return view
    }

    /// Whether a filter is true for the record.
    func matches(_ filter: ByteBuffer) throws(Refusal) -> Bool {
        do {
            try ExpressionEvaluator.check(filter)
        } catch {
            // Whatever is wrong with a filter, a server answers 4 (transaction/rw_utils.c, `handle_meta_filter`).
            throw error.isUnknown ? error : Refusal(.invalidRequest, error.reason)
        }
        switch try ExpressionEvaluator.evaluate(filter, for: view) {
        case nil: return false
        case .boolean(let matches): return matches
        default: throw Refusal(.invalidRequest, "a filter that is neither true nor false")
        }
    }

    private func readExpression(_ operation: RequestOperation) throws(Refusal) -> Value {
        let call = try ExpressionOperation(operation)
        guard call.flags.isSubset(of: .evaluationNoFail) else { throw Refusal(.invalidRequest, "flags of a read") }
        if let value = try call.evaluate(for: view) {
            return value
        }
        guard call.flags.contains(.evaluationNoFail) else {
            throw Refusal(.notApplicable, "the expression's result is unknown")
        }
        return .null
    }

    /// Writes an expression's result to a bin (base/expop.c, `as_exp_modify_tr`).
    mutating func writeExpression(_ operation: RequestOperation) throws(Refusal) {
        let call = try ExpressionOperation(operation)
        guard call.flags.isSubset(of: .all) else { throw Refusal(.invalidRequest, "flags of a write") }
        let exists = index(of: operation.binName) != nil
        if exists, call.flags.contains(.createOnly) {
            guard call.flags.contains(.policyNoFail) else { throw Refusal(.binExists) }
            return
        }
        if !exists, call.flags.contains(.updateOnly) {
            guard call.flags.contains(.policyNoFail) else { throw Refusal(.binNotFound) }
            return
        }
        guard let value = try call.evaluate(for: view) else {
            guard call.flags.contains(.evaluationNoFail) else {
                throw Refusal(.notApplicable, "the expression's result is unknown")
            }
            return
        }
        if value.isNull {
            if exists, !call.flags.contains(.allowDelete) {
                // Any flag at all lets it pass, which is what the server's code says.
                guard call.flags.rawValue != 0 else { throw Refusal(.notApplicable, "the result is no value") }
                return
            }
            set(operation.binName, to: nil)
        } else {
            set(operation.binName, to: value)
        }
    }
}

/// The argument of an operation that is an expression: the expression, and flags (base/expop.c, `as_exp_op_parse`).
struct ExpressionOperation {
    struct Flags: OptionSet {
        let rawValue: UInt64

        static let createOnly = Flags(rawValue: 1 << 0)
        static let updateOnly = Flags(rawValue: 1 << 1)
        static let allowDelete = Flags(rawValue: 1 << 2)
        static let policyNoFail = Flags(rawValue: 1 << 3)
        static let evaluationNoFail = Flags(rawValue: 1 << 4)
        static let all = Flags(rawValue: 0x1f)
    }

    let expression: ByteBuffer
    let flags: Flags

    init(_ operation: RequestOperation) throws(Refusal) {
        var bytes = operation.value
        guard let count = bytes.readPackedListCount(), (1...2).contains(count),
            let expression = bytes.readPackedElement()
        else { throw Refusal(.invalidRequest, "an expression's operation that is no list of one or two") }
        self.expression = expression
        // What is no integer, or a negative one, is no flag.
        flags = Flags(rawValue: count == 2 ? UInt64(clamping: bytes.readPackedInteger() ?? 0) : 0)
        do {
            try ExpressionEvaluator.check(expression)
        } catch {
            throw error.isUnknown ? error : Refusal(.invalidRequest, error.reason)
        }
    }

    func evaluate(for view: ExpressionEvaluator.RecordView) throws(Refusal) -> Value? {
        try ExpressionEvaluator.evaluate(expression, for: view)
    }
}

import Aerospike

/// What a record that one task alone writes may hold, by what the task was told of its writes.
///
/// Every value carries the record's name and the write's number, so that the reply to another call is known at once.
struct RecordLedger: Sendable {
    /// A bin of a record that cannot be what it is.
    struct Violation: Error, Sendable, CustomStringConvertible {
        var description: String
    }

    static let value = "value"
    static let name = "name"
    static let count = "count"
    static let steps = "steps"

    let key: Key
    let recordName: String
    /// Whether a write in doubt may be applied long after, even after one that was acknowledged.
    let letsWritesBeLate: Bool
    /// Whether a write that is late may bring back the whole record as its node had it.
    ///
    /// A node that was stopped applies what it finds in its sockets to its own old copies, and what a master replicates
    /// wins by its time, which is the latest (aerospike-server 8.1, base/record.c). Writes that others acknowledged in the
    /// meantime are lost then; only a record of which some write is in doubt can meet with that.
    let bringsStaleCopies: Bool
    private var lastNumber = 0
    private var acknowledgedPut: Int?
    private var acknowledgedPuts: Set<Int> = []
    private var doubtfulPuts: Set<Int> = []
    private var acknowledgedSteps: Set<Int> = []
    private var doubtfulSteps: Set<Int> = []

    init(_ recordName: String, letsWritesBeLate: Bool, bringsStaleCopies: Bool = false) {
        self.bringsStaleCopies = bringsStaleCopies
        self.recordName = recordName
        self.letsWritesBeLate = letsWritesBeLate
        key = Key(namespace: "test", set: "swift-faults", .string(recordName))
    }

    /// Whether the record may have been set back.
    private var mayBeSetBack: Bool { bringsStaleCopies && !(doubtfulPuts.isEmpty && doubtfulSteps.isEmpty) }

    /// The number of the next write.
    mutating func nextNumber() -> Int {
        lastNumber += 1
        return lastNumber
    }

    // MARK: Writing

    /// The bins of a put, `padding` bytes longer than need be.
    func bins(_ number: Int, padding: Int) -> [String: Value] {
        [
            RecordLedger.value: .string("\(recordName)#\(number)#" + String(repeating: "x", count: padding)),
            RecordLedger.name: .string(recordName),
        ]
    }

    /// The operations of a step, which counts itself, leaves its number behind, and reads.
    func step(_ number: Int) -> [Aerospike.Operation] {
        [
            .add(RecordLedger.count, 1), .append(RecordLedger.steps, "\(number),"),
            .put(RecordLedger.name, .string(recordName)), .get(RecordLedger.count), .get(RecordLedger.name),
        ]
    }

    /// A put ended.
    mutating func put(_ number: Int, failedInDoubt: Bool?) {
        switch failedInDoubt {
        case nil:
            acknowledgedPut = number
            acknowledgedPuts.insert(number)
        case true?: doubtfulPuts.insert(number)
        case false?: break
        }
    }

    /// A step ended.
    mutating func stepped(_ number: Int, failedInDoubt: Bool?) {
        switch failedInDoubt {
        case nil: acknowledgedSteps.insert(number)
        case true?: doubtfulSteps.insert(number)
        case false?: break
        }
    }

    // MARK: Reading

    /// Checks what a step read; it must not have been noted as acknowledged yet.
    func check(answersOfStep record: Record) throws(Violation) {
        guard record.bins.count == 5 else { throw violation("\(record.bins.count) answers to a step") }
        try check(count: record.bins[3].value.integer ?? 0, pending: 1)
        guard record.bins[4].value.string == recordName else { throw violation("name \(record.bins[4].value)") }
    }

    /// Checks a record that was read, as far as its bins were asked for; nil if there was none.
    func check(_ record: Record?) throws(Violation) {
        guard let record else {
            guard acknowledgedPut == nil, acknowledgedSteps.isEmpty else { throw violation("no record") }
            return
        }
        guard record[RecordLedger.name]?.string == recordName else {
            throw violation("name \(String(describing: record[RecordLedger.name]))")
        }
        try check(value: record[RecordLedger.value])
        try check(count: record[RecordLedger.count]?.integer ?? 0)
    }

    /// Checks the whole of a record when nothing is under way any more.
    func check(whole record: Record?) throws(Violation) {
        try check(record)
        let steps = record?[RecordLedger.steps]?.string?.split(separator: ",").compactMap { Int($0) } ?? []
        let found = Set(steps)
        guard found.count == steps.count else { throw violation("steps twice: \(steps)") }
        let lost = acknowledgedSteps.subtracting(found)
        guard lost.isEmpty || mayBeSetBack else { throw violation("steps lost: \(lost.sorted())") }
        let refused = found.subtracting(acknowledgedSteps).subtracting(doubtfulSteps)
        guard refused.isEmpty else { throw violation("steps that failed without doubt: \(refused.sorted())") }
        guard record?[RecordLedger.count]?.integer ?? 0 == Int64(steps.count) else {
            throw violation("\(steps.count) steps, but count \(String(describing: record?[RecordLedger.count]))")
        }
    }

    private func check(value: Value?) throws(Violation) {
        guard let value else {
            guard acknowledgedPut == nil else { throw violation("no value") }
            return
        }
        let parts = value.string?.split(separator: "#", omittingEmptySubsequences: false) ?? []
        guard parts.count == 3, parts[0] == recordName, let number = Int(parts[1]) else {
            throw violation("value \(value)")
        }
        let isDoubtful = doubtfulPuts.contains(number) && (letsWritesBeLate || number > acknowledgedPut ?? 0)
        guard number == acknowledgedPut || isDoubtful || mayBeSetBack && acknowledgedPuts.contains(number) else {
            throw violation("put \(number)")
        }
    }

    private func check(count: Int64, pending: Int = 0) throws(Violation) {
        let least = acknowledgedSteps.count + pending
        guard ((mayBeSetBack ? 0 : least)...least + doubtfulSteps.count).contains(Int(count)) else {
            throw violation("count \(count)")
        }
    }

    private func violation(_ found: String) -> Violation {
        Violation(
            description: """
                \(recordName): found \(found); the last put acknowledged is \(acknowledgedPut ?? 0) of \(lastNumber), \
                in doubt are \(doubtfulPuts.sorted()); \(acknowledgedSteps.count) steps are acknowledged, in doubt are \
                \(doubtfulSteps.sorted())
                """
        )
    }
}

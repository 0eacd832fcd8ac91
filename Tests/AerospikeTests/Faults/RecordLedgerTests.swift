import Aerospike
import Testing

/// The ledger finds what it is there to find.
struct RecordLedgerTests {
    private var ledger = RecordLedger("r", letsWritesBeLate: false)

    private func record(_ number: Int, name: String = "r", count: Int64 = 0, steps: String = "") -> Record {
        Record(
            bins: [
                Bin(RecordLedger.value, .string("\(name)#\(number)#xx")), Bin(RecordLedger.name, .string(name)),
                Bin(RecordLedger.count, .integer(count)), Bin(RecordLedger.steps, .string(steps)),
            ],
            generation: 1,
            voidTimeSeconds: 0
        )
    }

    @Test mutating func theLastPutIsThere() throws {
        ledger.put(1, failedInDoubt: nil)
        ledger.put(2, failedInDoubt: nil)
        try ledger.check(record(2))
        #expect(throws: RecordLedger.Violation.self) { try ledger.check(record(1)) }
        #expect(throws: RecordLedger.Violation.self) { try ledger.check(record(3)) }
        #expect(throws: RecordLedger.Violation.self) { try ledger.check(nil) }
        #expect(throws: RecordLedger.Violation.self) { try ledger.check(record(2, name: "other")) }
    }

    @Test mutating func aPutInDoubtMayBeThereUntilTheNext() throws {
        ledger.put(1, failedInDoubt: nil)
        ledger.put(2, failedInDoubt: true)
        ledger.put(3, failedInDoubt: false)
        try ledger.check(record(1))
        try ledger.check(record(2))
        #expect(throws: RecordLedger.Violation.self) { try ledger.check(record(3)) }
        ledger.put(4, failedInDoubt: nil)
        #expect(throws: RecordLedger.Violation.self) { try ledger.check(record(2)) }
    }

    @Test func aLatePutMayComeAfterTheNext() throws {
        var ledger = RecordLedger("r", letsWritesBeLate: true)
        ledger.put(1, failedInDoubt: true)
        ledger.put(2, failedInDoubt: nil)
        try ledger.check(record(1))
    }

    @Test func onlyARecordWithAWriteInDoubtIsSetBack() throws {
        var ledger = RecordLedger("r", letsWritesBeLate: true, bringsStaleCopies: true)
        ledger.put(1, failedInDoubt: nil)
        ledger.put(2, failedInDoubt: nil)
        ledger.stepped(3, failedInDoubt: nil)
        #expect(throws: RecordLedger.Violation.self) { try ledger.check(record(1, count: 1)) }
        ledger.stepped(4, failedInDoubt: true)
        ledger.stepped(5, failedInDoubt: false)
        try ledger.check(whole: record(1, count: 1, steps: "4,"))
        #expect(throws: RecordLedger.Violation.self) { try ledger.check(whole: record(1, count: 1, steps: "5,")) }
        #expect(throws: RecordLedger.Violation.self) { try ledger.check(whole: record(6, count: 1, steps: "4,")) }
    }

    @Test mutating func stepsAreThereOnce() throws {
        ledger.stepped(1, failedInDoubt: nil)
        ledger.stepped(2, failedInDoubt: true)
        ledger.stepped(3, failedInDoubt: false)
        ledger.put(4, failedInDoubt: nil)
        try ledger.check(whole: record(4, count: 1, steps: "1,"))
        try ledger.check(whole: record(4, count: 2, steps: "1,2,"))
        for (count, steps) in [(1, "2,"), (2, "1,3,"), (2, "1,1,"), (2, "1,"), (0, "")] as [(Int64, String)] {
            #expect(throws: RecordLedger.Violation.self) {
                try ledger.check(whole: record(4, count: count, steps: steps))
            }
        }
    }
}

import Aerospike
import BeanspikeCore
import NIOCore
import Testing

@testable import AerospikeStore

@Suite struct SegmentTests {
    static func entry(_ number: Int, priority: UInt32 = 5) -> JobEntry {
        JobEntry(
            state: .ready(priority: priority),
            details: JobDetails(
                priority: priority,
                ttrSeconds: 60,
                delaySeconds: 0,
                putMilliseconds: 1_700_000_000_000,
                attributes: nil,
                body: .inline(ByteBuffer(string: "body \(number)"))
            )
        )
    }

    @Test func jobsArePutAndPoppedInOrder() async throws {
        try await StoreCluster.with { client, layout in
            let records = SegmentRecords(client: client, layout: layout)
            let tube = try #require(TubeName("alpha"))
            let new = NewSegment(7, at: 2, key: ReadyKey.least(of: 7).directoryKey)
            #expect(try await records.create([new], tube: tube) == [new])
            #expect(try await records.create([new], tube: tube) == [])
            #expect(try await records.read(7)?.position == 2)
            var put = SegmentWork()
            put.countsJobs = true
            put.appends = (0..<100).map { Self.entry($0, priority: UInt32($0 % 3)) }
            let first = try await records.perform(put, on: 7, process: 1, sequence: 1, held: [])
            guard case .applied(let outcome) = first else {
                Issue.record("\(first)")
                return
            }
            #expect(outcome.jobCount == 100)
            // A repeat does nothing.
            guard case .refused = try await records.perform(put, on: 7, process: 1, sequence: 1, held: []) else {
                Issue.record("done twice")
                return
            }
            var popped: [Int] = []
            var sequence: Int64 = 2
            for count in [1, 3, 64, 64] {
                var pop = SegmentWork()
                pop.pops = count
                pop.popMilliseconds = 77
                let answer = try await records.perform(
                    pop,
                    on: 7,
                    process: 1,
                    sequence: sequence,
                    held: SlotSet(popped)
                )
                guard case .applied(let outcome) = answer else {
                    Issue.record("\(answer)")
                    return
                }
                sequence += 1
                popped += outcome.popped.map(\.slot)
                for (slot, entry) in outcome.popped { #expect(entry == Self.entry(slot, priority: UInt32(slot % 3))) }
            }
            let expected = (0..<100).sorted { ($0 % 3, $0) < ($1 % 3, $1) }
            #expect(popped == expected)
            var none = SegmentWork()
            none.pops = 1
            guard case .refused = try await records.perform(none, on: 7, process: 1, sequence: sequence, held: [])
            else {
                Issue.record("popped from nothing")
                return
            }
            var settle = SegmentWork()
            settle.countsJobs = true
            settle.updates = [
                4: Self.entry(4).released(priority: 9, delaySeconds: 0, isRetry: false, nowMilliseconds: 0)
            ]
            settle.removals = [5: Self.entry(5).details, 101: Self.entry(5).details]
            guard
                case .applied(let settled) = try await records.perform(
                    settle,
                    on: 7,
                    process: 1,
                    sequence: sequence + 1,
                    held: []
                )
            else {
                Issue.record("refused")
                return
            }
            #expect(settled.present == [4, 5])
            #expect(settled.jobCount == 99)
            #expect(try await records.marks(7)?[.ready].key == ReadyKey.least(of: 7).directoryKey)
            let state = try #require(try await records.read(7))
            #expect(state.entries[4]?.state == .ready(priority: 9))
            #expect(state.entries[6]?.state == .reserved(by: 1, sinceMilliseconds: 77))
            // The job that was not there was not deleted.
            #expect(state.deleted == 1)
        }
    }
}

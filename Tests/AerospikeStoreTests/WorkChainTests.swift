import Aerospike
import BeanspikeCore
import Testing

@testable import AerospikeStore

/// Works that are sent behind others.
@Suite struct WorkChainTests {
    private static func pop(_ count: Int, behind predecessor: Int64? = nil) -> SegmentWork {
        var work = SegmentWork()
        work.pops = count
        work.popMilliseconds = 77
        work.predecessor = predecessor
        return work
    }

    private static func withSegment(_ body: (SegmentRecords) async throws -> Void) async throws {
        try await StoreCluster.with { client, layout in
            let records = SegmentRecords(client: client, layout: layout)
            let new = NewSegment(7, at: 2, key: ReadyKey.least(of: 7).directoryKey)
            #expect(try await records.create([new], tube: #require(TubeName("alpha"))) == [new])
            var put = SegmentWork()
            put.appends = (0..<20).map { SegmentTests.entry($0) }
            #expect(try await popped(records.perform(put, on: 7, process: 1, sequence: 2, held: [])) == [])
            try await body(records)
        }
    }

    /// The slots that a work reserved; nil where it was refused.
    private static func popped(_ performed: SegmentRecords.Performed) -> [Int]? {
        guard case .applied(let outcome) = performed else { return nil }
        return outcome.popped.map(\.slot)
    }

    private static let lost = AerospikeError(.connection, "lost").adding(inDoubt: true)

    @Test func aWorkIsRefusedUnlessTheOneBeforeWasDone() async throws {
        try await Self.withSegment { records in
            let early = try await records.perform(Self.pop(1, behind: 4), on: 7, process: 1, sequence: 6, held: [])
            #expect(Self.popped(early) == nil)
            let first = try await records.perform(Self.pop(1, behind: 2), on: 7, process: 1, sequence: 4, held: [])
            #expect(Self.popped(first) == [0])
            let second = try await records.perform(Self.pop(1, behind: 4), on: 7, process: 1, sequence: 6, held: [0])
            #expect(Self.popped(second) == [1])
            // A late duplicate of one of them.
            let late = try await records.perform(Self.pop(1, behind: 4), on: 7, process: 1, sequence: 6, held: [0, 1])
            #expect(Self.popped(late) == nil)
        }
    }

    @Test func whatAWorkDidIsFoundOutThoughAnotherWasDoneBehindIt() async throws {
        try await Self.withSegment { records in
            let first = try await records.perform(Self.pop(1), on: 7, process: 1, sequence: 4, held: [])
            #expect(Self.popped(first) == [0])
            // The first releases slot 0 and reserves another, the second reserves slot 0 again; the first's answer is lost.
            var release = Self.pop(1)
            release.updates[0] = SegmentTests.entry(0, priority: 9)
            #expect(Self.popped(try await records.perform(release, on: 7, process: 1, sequence: 6, held: [0])) == [1])
            let all = try await records.perform(Self.pop(19, behind: 6), on: 7, process: 1, sequence: 8, held: [1])
            let reserved = try #require(Self.popped(all))
            #expect(reserved.contains(0))
            let found = try await records.perform(
                release,
                on: 7,
                process: 1,
                sequence: 6,
                held: [0],
                after: Self.lost,
                later: .init(sequences: [8], reserved: SlotSet(reserved))
            )
            #expect(Self.popped(found) == [1])
        }
    }

    @Test func jobsThatAreKnownAreReservedOnlyAsLongAsNobodyWrote() async throws {
        try await Self.withSegment { records in
            var list = Self.pop(1)
            list.listsReady = true
            guard case .applied(let listed) = try await records.perform(list, on: 7, process: 1, sequence: 4, held: [])
            else { throw JobStoreError(.readFailed, "refused") }
            var mirror = ReadyMirror(try #require(listed.ready))
            #expect(mirror.count == 19)
            var pick = SegmentWork()
            pick.popMilliseconds = 78
            pick.picks = mirror.takeBest(8, priorityMax: .max)
            let picked = try await records.perform(pick, on: 7, process: 1, sequence: 6, held: [0])
            #expect(Self.popped(picked) == Array(1...8))
            let state = try #require(try await records.read(7))
            #expect(state.entries[8]?.state == .reserved(by: 1, sinceMilliseconds: 78))
            #expect(state.entries[8]?.details == SegmentTests.entry(8).details)
            #expect(state.entries[9]?.state == .ready(priority: 5))
            #expect(
                Self.popped(try await records.perform(Self.pop(2), on: 7, process: 2, sequence: 2, held: [])) == [
                    9, 10,
                ]
            )
            // Another process has reserved the best since.
            pick.picks = mirror.takeBest(1, priorityMax: .max)
            pick.generation = listed.generation + 1
            let code = try await withCheckedThrowingContinuation { continuation in
                records.send(pick, to: records.key(7), 7, process: 1, sequence: 8) { result in
                    switch result {
                    case .success: continuation.resume(returning: ResultCode.ok)
                    case .failure(let error): continuation.resume(returning: error.code)
                    }
                }
            }
            #expect(code == .generationMismatch)
        }
    }
}

import Aerospike
import NIOCore
import Testing

struct BatchStateTests {
    private static let node = "BB9 127.0.0.1:3000"
    private let reads: [RecordRequest]
    private let writes: [RecordRequest]

    init() {
        let keys = (0..<4).map { Key(namespace: "test", set: "batch", .integer($0)) }
        reads = keys.map { .get($0, bins: nil, policy: ReadPolicy()) }
        writes = keys.map { .put($0, bins: [("n", 1)], policy: WritePolicy()) }
    }

    /// The answer to a part, told from others by its generation.
    private func answer(_ part: UInt32, _ code: ResultCode = .ok, generation: UInt32 = 0) -> ReplyMessage {
        var header = MessageHeader()
        header.timeoutOrIndex = part
        header.resultCode = UInt8(code.rawValue)
        header.generation = generation
        return ReplyMessage(header: header, body: ByteBuffer())
    }

    private func receive(
        _ state: inout BatchState,
        _ message: ReplyMessage,
        parts: Set<Int> = [0, 1, 2, 3]
    ) throws {
        try state.received(message, parts: parts, node: Self.node)
    }

    /// What parts came to: a generation, or a code and a question mark if it is in doubt.
    private func outcomes(_ state: BatchState) -> [String] {
        state.finished().map { result in
            switch result {
            case .success(let record): "\(record.generation)"
            case .failure(let error): "\(error.code.name)\(error.inDoubt ? "?" : "")"
            }
        }
    }

    @Test func answersInAnyOrderAreEachForTheirPart() throws {
        var state = BatchState(reads)
        #expect(state.openParts == [0, 1, 2, 3])
        for part in [2, 0, 3, 1] as [UInt32] {
            try receive(&state, answer(part, generation: part + 10))
        }
        #expect(state.openParts.isEmpty)
        #expect(outcomes(state) == ["10", "11", "12", "13"])
    }

    @Test func aPartWithoutAnswerStaysOpen() throws {
        var state = BatchState(reads)
        try receive(&state, answer(1, generation: 5))
        #expect(state.openParts == [0, 2, 3])
        // Nothing is known of them: they were not even tried, as far as can be told.
        #expect(outcomes(state) == ["TIMEOUT", "5", "TIMEOUT", "TIMEOUT"])
        state.failed(0, AerospikeError(.noResponse), wasSent: true)
        state.settle(retriesInDoubt: false, isOver: false)
        #expect(state.openParts == [2, 3])
        #expect(outcomes(state)[0] == "NO_RESPONSE")
    }

    @Test func aPartWithoutAnswerLeavesAWriteInDoubt() throws {
        var state = BatchState(writes)
        for part in 0..<4 {
            state.failed(part, AerospikeError(.noResponse), wasSent: part != 3)
        }
        state.settle(retriesInDoubt: false, isOver: true)
        #expect(outcomes(state) == ["NO_RESPONSE?", "NO_RESPONSE?", "NO_RESPONSE?", "NO_RESPONSE"])
    }

    @Test func aSecondAnswerIsMalformed() throws {
        var state = BatchState(reads)
        try receive(&state, answer(1, generation: 5))
        let error = #expect(throws: AerospikeError.self) { try receive(&state, answer(1, generation: 6)) }
        #expect(error?.code == .malformedReply)
        // The first stands, and the others are still waited for.
        #expect(outcomes(state)[1] == "5")
        #expect(state.openParts == [0, 2, 3])
    }

    @Test func anAnswerToAPartThatWasNotAskedIsMalformed() throws {
        var state = BatchState(reads)
        for part in [4, .max] as [UInt32] {
            let error = #expect(throws: AerospikeError.self) { try receive(&state, answer(part)) }
            #expect(error?.code == .malformedReply)
        }
        // Of the batch, but not asked of this node.
        let error = #expect(throws: AerospikeError.self) { try receive(&state, answer(3), parts: [0, 1]) }
        #expect(error?.code == .malformedReply)
        #expect(state.openParts == [0, 1, 2, 3])
    }

    @Test func aTransientFailureIsTriedAgainAndAnotherIsNot() throws {
        var state = BatchState(writes)
        try receive(&state, answer(0, .keyBusy))
        try receive(&state, answer(1, .recordExists))
        try receive(&state, answer(2, generation: 7))
        try receive(&state, answer(3, .partitionUnavailable))
        #expect([.keyBusy, .partitionUnavailable].contains(state.transientFailure?.code))
        state.settle(retriesInDoubt: false, isOver: false)
        #expect(state.openParts == [0, 3])
        try receive(&state, answer(3, generation: 2), parts: [0, 3])
        #expect(state.openParts == [0])
        try receive(&state, answer(0, .keyBusy), parts: [0])
        state.settle(retriesInDoubt: false, isOver: true)
        #expect(state.openParts.isEmpty)
        #expect(state.transientFailure == nil)
        #expect(outcomes(state) == ["KEY_BUSY", "RECORD_EXISTS", "7", "2"])
    }

    @Test func aWriteInDoubtIsTriedAgainOnlyWhereThatIsWanted() {
        for retriesInDoubt in [false, true] {
            var state = BatchState(writes)
            state.failed(0, AerospikeError(.connection), wasSent: true)
            state.failed(1, AerospikeError(.connection), wasSent: false)
            state.settle(retriesInDoubt: retriesInDoubt, isOver: false)
            #expect(state.openParts == (retriesInDoubt ? [0, 1, 2, 3] : [1, 2, 3]))
            #expect(outcomes(state)[0] == "CONNECTION?")
            #expect(outcomes(state)[1] == "CONNECTION")
        }
    }

    @Test func doubtStaysUntilAnAnswerSaysThatItWasDone() throws {
        var state = BatchState(writes)
        for part in 0..<4 {
            state.failed(part, AerospikeError(.timeout), wasSent: true)
        }
        state.settle(retriesInDoubt: true, isOver: false)
        try receive(&state, answer(0, generation: 3))
        // The earlier try may have created it.
        try receive(&state, answer(1, .recordExists))
        try receive(&state, answer(2, .keyBusy))
        state.settle(retriesInDoubt: true, isOver: true)
        #expect(outcomes(state) == ["3", "RECORD_EXISTS?", "KEY_BUSY?", "TIMEOUT?"])
    }

    @Test func aReadIsNeverInDoubt() {
        var state = BatchState(reads)
        state.failed(0, AerospikeError(.timeout), wasSent: true)
        state.settle(retriesInDoubt: false, isOver: false)
        #expect(state.openParts == [0, 1, 2, 3])
        state.settle(retriesInDoubt: false, isOver: true)
        #expect(outcomes(state)[0] == "TIMEOUT")
    }

    @Test func anAnswerThatCannotBeReadWasDoneAllTheSame() throws {
        for (requests, isWrite) in [(reads, false), (writes, true)] {
            var state = BatchState(requests)
            var message = answer(0)
            message.header.operationCount = 1
            try receive(&state, message)
            #expect(state.openParts == [1, 2, 3])
            #expect(outcomes(state)[0] == (isWrite ? "MALFORMED_REPLY?" : "MALFORMED_REPLY"))
            let error = try #require(state.finished()[0].error)
            #expect(error.node == Self.node)
        }
    }
}

import Aerospike
import Testing

@Suite struct ErrorTests {
    @Test func codesThatHaveNamesSayWhatToDo() {
        for code in [ResultCode.keyBusy, .filteredOut, .notFound, .timeout, .recordTooBig, .connection, .server] {
            #expect(!code.name.hasPrefix("CODE_"))
            #expect(code.meaning.hasSuffix("."))
            #expect(code.remedy.hasSuffix("."))
        }
        #expect(ResultCode.keyBusy.rawValue == 14)
        #expect("\(ResultCode.keyBusy)" == "KEY_BUSY (14)")
        #expect(ResultCode.keyBusy.isTransient)
        #expect(!ResultCode.notFound.isTransient)
    }

    @Test func codesOfTomorrowAreCodesToo() {
        let code = ResultCode(rawValue: 199)
        #expect(code.name == "CODE_199")
        #expect(!code.meaning.isEmpty && !code.remedy.isEmpty)
        #expect(!code.isTransient && !code.leavesWriteInDoubt)
    }

    /// A busy record or a full server refused the write; a time-out or a broken connection says nothing of it.
    @Test func onlyWhatSaysNothingOfAWriteLeavesItInDoubt() {
        let doubtful = (-20...255).map(ResultCode.init(rawValue:)).filter(\.leavesWriteInDoubt)
        #expect(doubtful == [.noResponse, .connection, .cancelled, .malformedReply, .timeout])
    }

    @Test func anErrorSaysAllThatIsKnown() {
        let error = AerospikeError(.timeout, "No reply in 1 s.", inDoubt: true, node: "A1 127.0.0.1:3000")
        #expect(
            error.description
                == "TIMEOUT (9): No reply in 1 s. Try again; a write may have been applied all the same. "
                + "The write may have been applied. [node A1 127.0.0.1:3000]"
        )
        #expect(AerospikeError(.notFound).message == ResultCode.notFound.meaning)
        let seenLater = AerospikeError(.connection).adding(node: "B", inDoubt: true)
        #expect(seenLater.inDoubt)
        #expect(seenLater.node == "B")
        #expect(seenLater.adding(node: "C", inDoubt: false).inDoubt)
        #expect(seenLater.adding(node: "C").node == "B")
    }
}

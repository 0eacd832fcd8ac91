import Aerospike
import NIOCore
import Testing

struct AttemptsTests {
    let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
    var policy = ResolvedCallPolicy(CallPolicy())

    init() {
        policy.timeout = .seconds(1)
        policy.triesMax = 3
        policy.backoff = .milliseconds(10)
        policy.backoffMax = .milliseconds(25)
    }

    func decision(
        _ attempts: inout Attempts,
        _ code: ResultCode,
        wasSent: Bool = true,
        after milliseconds: Int64 = 0
    ) -> Attempts.Decision {
        attempts.failed(
            AerospikeError(code),
            wasSent: wasSent,
            now: start + .milliseconds(milliseconds),
            chance: 0
        )
    }

    @Test func aReadIsTriedAgain() throws {
        var attempts = Attempts(policy, isWrite: false, now: start)
        #expect(decision(&attempts, .timeout).pause == .milliseconds(10))
        #expect(decision(&attempts, .connection).pause == .milliseconds(20))
        let error = try #require(decision(&attempts, .timeout).error)
        #expect(error.code == .timeout)
        #expect(!error.inDoubt)
    }

    @Test func aWriteInDoubtIsNot() throws {
        var attempts = Attempts(policy, isWrite: true, now: start)
        #expect(try #require(decision(&attempts, .timeout).error).inDoubt)
    }

    @Test func aWriteInDoubtIsTriedAgainWhereThatIsWanted() throws {
        var policy = policy
        policy.retriesInDoubt = true
        var attempts = Attempts(policy, isWrite: true, now: start)
        #expect(decision(&attempts, .connection).pause != nil)
        // The doubt stays, whatever a later try comes to.
        #expect(decision(&attempts, .keyBusy).pause != nil)
        #expect(try #require(decision(&attempts, .recordExists).error).inDoubt)
    }

    @Test func aWriteThatWasNotSentIsTriedAsLongAsThereIsTime() throws {
        var attempts = Attempts(policy, isWrite: true, now: start)
        for _ in 0..<20 {
            #expect(decision(&attempts, .connection, wasSent: false).pause != nil)
        }
        let error = try #require(decision(&attempts, .connection, wasSent: false, after: 990).error)
        #expect(!error.inDoubt)
    }

    @Test func aBusyRecordIsTriedAgainWithoutDoubt() throws {
        var attempts = Attempts(policy, isWrite: true, now: start)
        #expect(decision(&attempts, .keyBusy).pause == .milliseconds(10))
        #expect(decision(&attempts, .keyBusy).pause == .milliseconds(20))
        #expect(try !#require(decision(&attempts, .keyBusy).error).inDoubt)
    }

    @Test func anAnswerIsAnAnswer() throws {
        var attempts = Attempts(policy, isWrite: true, now: start)
        #expect(decision(&attempts, .notFound).error?.code == .notFound)
    }

    @Test func pausesDoubleUpToABoundAndVary() {
        var attempts = Attempts(policy, isWrite: false, now: start)
        let pauses = [0.0, 1, 0, 1].map { chance in
            attempts.failed(AerospikeError(.connection), wasSent: false, now: start, chance: chance).pause
        }
        #expect(pauses == [.milliseconds(10), .milliseconds(10), .milliseconds(25), .microseconds(12_500)])
    }

    @Test func aTryHasItsOwnTimeWithinTheCalls() {
        var policy = policy
        policy.tryTimeout = .milliseconds(400)
        let attempts = Attempts(policy, isWrite: false, now: start)
        #expect(attempts.tryDeadline(now: start) == start + .milliseconds(400))
        #expect(attempts.tryDeadline(now: start + .milliseconds(900)) == start + .seconds(1))
    }

    @Test func aReadLeavesTimeToAskAnother() {
        var attempts = Attempts(policy, isWrite: false, now: start)
        #expect(attempts.tryDeadline(now: start) == start + .seconds(1))
        #expect(attempts.tryDeadline(now: start, canAskOthers: true) == start + .milliseconds(500))
        _ = decision(&attempts, .timeout, after: 500)
        let second = start + .milliseconds(500)
        #expect(attempts.tryDeadline(now: second, canAskOthers: true) == start + .milliseconds(750))
        _ = decision(&attempts, .timeout, after: 750)
        // There is none after the last.
        #expect(attempts.tryDeadline(now: start + .milliseconds(750), canAskOthers: true) == start + .seconds(1))
        let write = Attempts(policy, isWrite: true, now: start)
        #expect(write.tryDeadline(now: start, canAskOthers: true) == start + .seconds(1))
    }

    @Test func whatIsLeftOpenIsTheClientsOrTheDefault() {
        let defaults = ResolvedCallPolicy(CallPolicy())
        #expect(defaults.timeout == .seconds(1))
        #expect(defaults.tryTimeout == nil)
        #expect(defaults.triesMax == 3)
        #expect(!defaults.retriesInDoubt)
        #expect(defaults.backoff == .milliseconds(2))
        #expect(defaults.backoffMax == .milliseconds(100))
        var client = CallPolicy()
        client.timeout = .seconds(7)
        client.tryTimeout = .seconds(3)
        client.retriesInDoubt = true
        client.backoffMax = .seconds(4)
        var own = CallPolicy()
        own.timeout = .seconds(2)
        own.triesMax = 9
        own.retriesInDoubt = false
        own.backoff = .seconds(1)
        let both = ResolvedCallPolicy(own, client: client)
        #expect(both.timeout == .seconds(2))
        #expect(both.tryTimeout == .seconds(3))
        #expect(both.triesMax == 9)
        #expect(!both.retriesInDoubt)
        #expect(both.backoff == .seconds(1))
        #expect(both.backoffMax == .seconds(4))
    }

    @Test func absurdTimesDoNotOverflow() {
        var policy = policy
        policy.timeout = .seconds(Int64.max)
        policy.backoff = .seconds(Int64.max)
        var attempts = Attempts(policy, isWrite: false, now: start)
        #expect(attempts.failed(AerospikeError(.connection), wasSent: false, now: start, chance: 0).pause != nil)
    }
}

extension Attempts.Decision {
    var pause: TimeAmount? {
        if case .retry(let pause) = self { pause } else { nil }
    }

    var error: AerospikeError? {
        if case .fail(let error) = self { error } else { nil }
    }
}

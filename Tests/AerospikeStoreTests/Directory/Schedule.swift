import Aerospike
import AerospikeTestKit
import JobStoreTestKit
import NIOCore
import Synchronization

@testable import AerospikeStore

/// A run of several clients on one store, in which a seed decides who makes the next call and what goes wrong with it.
///
/// One client runs at a time, from one call to its next, so that a seed always makes the same run. What can go wrong: a
/// client dies before or after a call, a reply is lost, a request is lost, and a write is made once more at any later time.
final class Schedule: Sendable {
    /// What goes wrong, once in so many calls each.
    struct Faults: Sendable {
        var crash = 40
        var lostReply = 8
        var lostRequest = 12
        var lateDuplicate = 6

        static let none = Faults(crash: .max, lostReply: .max, lostRequest: .max, lateDuplicate: .max)
    }

    /// What is seen of a record between two calls.
    typealias Look = (Key) -> Record?

    private struct State {
        var store = NamespaceStore(name: "test")
        var dice: SeededGenerator
        var faults: Faults
        var waiting: [(client: Int, continuation: CheckedContinuation<Void, Never>)] = []
        var running = 0
        /// Until which number of calls a client is left waiting.
        var asleep: [Int: Int] = [:]
        var dead: Set<Int> = []
        var late: [RecordRequest] = []
        var segments: [Int: ModelSegment] = [:]
        var callCount = 0
        var violation: String?
    }

    private let state: Mutex<State>
    private let check: @Sendable ([Int: ModelSegment], Look) -> String?

    /// A run.
    ///
    /// - Parameters:
    ///   - seed: what all that happens by chance follows from.
    ///   - faults: what goes wrong.
    ///   - check: looks at everything between each two calls, and says what is wrong with it.
    init(
        seed: UInt64,
        faults: Faults = Faults(),
        check: @escaping @Sendable ([Int: ModelSegment], Look) -> String?
    ) {
        state = Mutex(State(dice: SeededGenerator(seed: seed), faults: faults))
        self.check = check
    }

    // MARK: Clients

    /// Runs clients until all have ended or died.
    func run(_ clients: Int, _ body: @escaping @Sendable (ScheduledClient) async throws -> Void) async {
        state.withLock {
            $0.running = clients
            $0.dead = []
        }
        await withDiscardingTaskGroup { group in
            for number in 0..<clients {
                group.addTask {
                    let client = ScheduledClient(schedule: self, number: number)
                    try? await body(client)
                    self.goOn { $0.running -= 1 }
                }
            }
        }
    }

    /// From now on nothing goes wrong.
    func calmDown() {
        state.withLock {
            $0.faults = .none
            $0.late = []
        }
    }

    /// Waits for one's turn.
    fileprivate func turn(_ client: Int) async {
        await withCheckedContinuation { continuation in
            goOn {
                $0.waiting.append((client, continuation))
                $0.running -= 1
            }
        }
    }

    /// Changes something, and lets the next client go on if none is running.
    private func goOn(_ change: (inout sending State) -> Void) {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            change(&state)
            guard state.running == 0, !state.waiting.isEmpty else { return nil }
            inspect(&state)
            if !state.late.isEmpty, state.dice.oneIn(4) {
                let request = state.late.remove(at: Int.random(in: 0..<state.late.count, using: &state.dice))
                _ = Self.apply(request, to: &state)
                inspect(&state)
            }
            // Who came first depends on threads at the beginning.
            state.waiting.sort { $0.client < $1.client }
            let awake = state.waiting.indices.filter { state.callCount >= state.asleep[state.waiting[$0].client] ?? 0 }
            let index = (awake.isEmpty ? Array(state.waiting.indices) : awake).randomElement(using: &state.dice) ?? 0
            let next = state.waiting.remove(at: index)
            // Now and then others get far before its next call.
            if state.dice.oneIn(6) {
                state.asleep[next.client] = state.callCount + Int.random(in: 5..<40, using: &state.dice)
            }
            state.running += 1
            return next.continuation
        }
        next?.resume()
    }

    private func inspect(_ state: inout State) {
        guard state.violation == nil else { return }
        let store = state.store
        let problem = check(state.segments) { key in
            store.record(key.digest).map { Record(bins: $0.bins, generation: 0, voidTimeSeconds: 0) }
        }
        state.violation = problem.map { "after \(state.callCount) calls: \($0)" }
    }

    /// What was wrong first, if anything ever was.
    var violation: String? {
        state.withLock { state in
            inspect(&state)
            return state.violation
        }
    }

    var callCount: Int { state.withLock { $0.callCount } }

    var segments: [Int: ModelSegment] { state.withLock { $0.segments } }

    // MARK: Calls

    fileprivate enum Outcome {
        case died
        case silence
        case answer(ReplyMessage)
    }

    fileprivate func make(_ request: RecordRequest, for client: Int) -> Outcome {
        state.withLock { state in
            guard !dies(client, &state) else { return .died }
            if state.faults.lostRequest < .max, state.dice.oneIn(state.faults.lostRequest) { return .silence }
            let reply = Self.apply(request, to: &state)
            if request.isWrite, state.faults.lateDuplicate < .max, state.dice.oneIn(state.faults.lateDuplicate) {
                state.late.append(request)
            }
            guard !dies(client, &state) else { return .died }
            if state.faults.lostReply < .max, state.dice.oneIn(state.faults.lostReply) { return .silence }
            return reply.map { .answer($0) } ?? .died
        }
    }

    /// Does something to the segments, as one call.
    fileprivate func change<Output: Sendable>(
        for client: Int,
        _ body: (inout [Int: ModelSegment], inout SeededGenerator) -> Output
    ) -> Output? {
        state.withLock { state in
            guard !dies(client, &state) else { return nil }
            state.callCount += 1
            let output = body(&state.segments, &state.dice)
            return dies(client, &state) ? nil : output
        }
    }

    private func dies(_ client: Int, _ state: inout State) -> Bool {
        if state.faults.crash < .max, state.dice.oneIn(state.faults.crash * 2) { state.dead.insert(client) }
        return state.dead.contains(client)
    }

    private static func apply(_ request: RecordRequest, to state: inout State) -> ReplyMessage? {
        state.callCount += 1
        var bytes = ByteBuffer()
        var reply = ByteBuffer()
        do {
            try bytes.writeRequest(request, timeoutMilliseconds: 1000)
            bytes.moveReaderIndex(forwardBy: 8)
            let message = try RequestMessage(body: bytes)
            reply.writeReply(state.store.answer(message, nowNanoseconds: 1_800_000_000_000_000_000))
            var decoder = ReplyDecoder()
            decoder.feed(reply)
            guard case .message(let answer, _)? = try decoder.next() else { return nil }
            return answer
        } catch {
            state.violation = state.violation ?? "\(error)"
            return nil
        }
    }
}

/// A client of a schedule.
struct ScheduledClient: RecordCalls {
    let schedule: Schedule
    let number: Int

    /// How guarded calls are made by it.
    var calls: GuardedCalls { GuardedCalls(self, policy: CallPolicy()) }

    func operate(
        _ key: Key,
        _ operations: [Operation],
        policy: WritePolicy
    ) async throws(AerospikeError) -> Record {
        let request = RecordRequest.operate(key, operations, readPolicy: ReadPolicy(), writePolicy: policy)
        while true {
            await schedule.turn(number)
            switch schedule.make(request, for: number) {
            case .died: throw AerospikeError(.cancelled, inDoubt: true)
            case .silence: continue
            case .answer(let message):
                guard message.resultCode == .ok else { throw AerospikeError(message.resultCode) }
                return try message.record(answering: request)
            }
        }
    }

    func operate(
        _ parts: [(key: Key, operations: [Operation])]
    ) async throws(AerospikeError) -> [Result<Record, AerospikeError>] {
        var results: [Result<Record, AerospikeError>] = []
        for part in parts {
            do throws(AerospikeError) {
                results.append(.success(try await operate(part.key, part.operations, policy: WritePolicy())))
            } catch {
                guard error.code == .notFound else { throw error }
                results.append(.failure(error))
            }
        }
        return results
    }

    /// Does something to the segments, as one call.
    func change<Output: Sendable>(
        _ body: (inout [Int: ModelSegment], inout SeededGenerator) -> Output
    ) async throws -> Output {
        await schedule.turn(number)
        guard let output = schedule.change(for: number, body) else { throw AerospikeError(.cancelled) }
        return output
    }
}

/// A segment as its record would be: what is in it, and its side of the handshake.
struct ModelSegment: Sendable {
    struct Side: Sendable {
        var keys: Set<DirectoryKey> = []
        var mark: DirectoryKey?
        var epoch = 0

        /// Takes the mark up to what there is: step 2 of raising.
        mutating func raiseMark(to least: DirectoryKey?) {
            epoch += 1
            guard let least else {
                mark = nil
                return
            }
            mark = mark.map { max($0, least) }
        }
    }

    var position: Int
    var isClosed = false
    var sides: [DirectoryKind: Side] = [:]

    var isEmpty: Bool { sides.values.allSatisfy(\.keys.isEmpty) }
}

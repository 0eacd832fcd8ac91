import BeanspikeCore

/// A session of the store that does one thing at a time.
///
/// A call takes a lane and gives it back; a job that is reserved keeps the lane that it was reserved on until it is settled.
/// So a reserve that waits holds up nobody, and a job belongs to the call that reserved it.
///
/// `@unchecked Sendable`: the variables are used by whoever combines (``StoreLink``), one thread at a time.
final class Lane: @unchecked Sendable {
    /// The tubes that it reserves from; puts, kicks and peeks go to the first.
    let tubes: [TubeName]

    /// Nil until the first call.
    var session: SessionID?
    /// Calls whose replies are still to come, in their order, but for those before `answered`.
    var calls: [Call] = []
    var answered = 0
    var isClosed = false

    init(tubes: [TubeName]) { self.tubes = tubes }

    /// What makes a new session this lane's.
    var preparation: [Command] {
        var commands: [Command] = []
        if let first = tubes.first, first != .default { commands.append(.use(first)) }
        commands += tubes.filter { $0 != .default }.map { .watch($0) }
        if !tubes.contains(.default) { commands.append(.ignore(.default)) }
        return commands
    }

    func append(_ call: Call) { calls.append(call) }

    /// The call that the next reply is for.
    func takeFirst() -> Call? {
        guard answered < calls.count else { return nil }
        let call = calls[answered]
        guard call.isSatisfiedByNext else { return call }
        answered += 1
        if answered == calls.count {
            calls.removeAll(keepingCapacity: true)
            answered = 0
        } else if answered > 256 {
            calls.removeFirst(answered)
            answered = 0
        }
        return call
    }

    /// Takes all calls out.
    func takeAll() -> [Call] {
        let rest = Array(calls[answered...])
        calls = []
        answered = 0
        return rest
    }
}

/// A reply with the body that it hands out.
struct Answer: Sendable {
    var reply: Reply
    var body: [UInt8] = []
}

// A call's own deed is checked where that costs nothing that is measured.
#if DEBUG
    typealias CallContinuation = CheckedContinuation<[Answer], any Error>
#else
    typealias CallContinuation = UnsafeContinuation<[Answer], any Error>
#endif

/// Commands that were asked for together, and who waits for their replies.
///
/// `@unchecked Sendable`: the variables are used by whoever combines (``StoreLink``), one thread at a time.
final class Call: @unchecked Sendable {
    let commands: [Command]
    /// What the commands' ranges point into.
    let bytes: [UInt8]

    private var continuation: CallContinuation?
    private var answers: [Answer] = []
    /// Replies to come that are those of a lane's preparation.
    private var preparations = 0
    var isOver = false

    init(_ commands: [Command], bytes: [UInt8] = []) {
        self.commands = commands
        self.bytes = bytes
    }

    func begin(_ continuation: CallContinuation, preparations: Int) {
        self.continuation = continuation
        self.preparations = preparations
        answers.reserveCapacity(commands.count)
    }

    /// Whether the next reply is the last.
    var isSatisfiedByNext: Bool { preparations == 0 && answers.count + 1 >= commands.count }

    /// Takes the next reply.
    ///
    /// - Returns: whether it was the last.
    func take(_ answer: Answer) -> Bool {
        if preparations > 0 {
            preparations -= 1
            return false
        }
        answers.append(answer)
        return answers.count == commands.count
    }

    /// Answers whoever waits; nothing may be locked, and it is done once.
    func finish() {
        isOver = true
        continuation?.resume(returning: answers)
        continuation = nil
    }

    func fail(_ error: any Error) {
        isOver = true
        continuation?.resume(throwing: error)
        continuation = nil
    }
}

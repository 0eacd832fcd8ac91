import NIOCore

/// Questions that this process asked and that are not answered by all yet.
///
/// All on one event loop.
struct PeerQuestions {
    private struct Open {
        var question: PeerQuestion
        var asked: Set<Int>
        var answers: [Int: PeerAnswer] = [:]
        /// Answers of which parts are still to come.
        var parts: [Int: PeerAnswer] = [:]
        var promise: EventLoopPromise<[Int: PeerAnswer]>
        var timer: Scheduled<Void>
    }

    private var open: [UInt64: Open] = [:]
    private var lastID: UInt64 = 0

    mutating func nextID() -> UInt64 {
        lastID &+= 1
        return lastID
    }

    mutating func begin(
        _ id: UInt64,
        _ question: PeerQuestion,
        asked: Set<Int>,
        promise: EventLoopPromise<[Int: PeerAnswer]>,
        timer: Scheduled<Void>
    ) {
        open[id] = Open(question: question, asked: asked, promise: promise, timer: timer)
    }

    /// Takes an answer, or a part of one; what was not asked is passed over.
    mutating func answered(_ id: UInt64, by peer: Int, _ answer: PeerAnswer, isLast: Bool) {
        guard var one = open[id], one.asked.contains(peer), answer.answers(one.question) else { return }
        var whole = answer
        if case .tubes(let before) = one.parts[peer], case .tubes(let more) = answer {
            whole = .tubes(Array((before + more).prefix(PeerLimits.answeredTubesMax)))
        }
        if isLast {
            one.parts[peer] = nil
            one.answers[peer] = whole
            one.asked.remove(peer)
        } else {
            one.parts[peer] = whole
        }
        open[id] = one
        if one.asked.isEmpty { end(id) }
    }

    /// A peer will answer nothing of what it was asked.
    mutating func lost(_ peer: Int) {
        for id in Array(open.keys) where open[id]?.asked.remove(peer) != nil && open[id]?.asked.isEmpty == true {
            end(id)
        }
    }

    /// Ends a question with the answers there are.
    mutating func end(_ id: UInt64) {
        guard let one = open.removeValue(forKey: id) else { return }
        one.timer.cancel()
        one.promise.succeed(one.answers)
    }

    mutating func endAll() {
        for id in Array(open.keys) { end(id) }
    }
}

import BeanspikeCore
import NIOCore

/// What is to be told to one peer when there is a connection with room: merged, and bounded.
struct PeerOutbox: Sendable {
    private var work: [TubeName: UInt32] = [:]
    private var pauses: Set<TubeName> = []
    private var questions: [(id: UInt64, question: PeerQuestion)] = []
    private var answers: [PeerMessage] = []
    private var answerBytes = 0
    private var changes: [TubeName: Bool] = [:]
    /// Whether all waits are to be told, and not only what changed.
    private(set) var tellsAllWaits = false
    /// How many news were dropped for lack of room.
    private(set) var droppedCount = 0

    var isEmpty: Bool {
        work.isEmpty && pauses.isEmpty && questions.isEmpty && answers.isEmpty && changes.isEmpty && !tellsAllWaits
    }

    /// A job is ready: of several in a tube only the most urgent is told.
    mutating func add(work tube: TubeName, priority: UInt32) {
        if let known = work[tube] {
            work[tube] = min(known, priority)
        } else if work.count < PeerLimits.newsMax {
            work[tube] = priority
        } else {
            droppedCount += 1
        }
    }

    mutating func add(pause tube: TubeName) {
        if pauses.count < PeerLimits.newsMax {
            pauses.insert(tube)
        } else if !pauses.contains(tube) {
            droppedCount += 1
        }
    }

    /// Adds a question.
    ///
    /// - Returns: whether there was room.
    mutating func add(question: PeerQuestion, id: UInt64) -> Bool {
        guard questions.count < PeerLimits.questionsMax else { return false }
        questions.append((id, question))
        return true
    }

    mutating func add(answer: PeerAnswer, id: UInt64) {
        guard case .tubes(let tubes) = answer else {
            add(.answer(id, answer, isLast: true), bytes: 64)
            return
        }
        var rest = tubes.prefix(PeerLimits.answeredTubesMax)
        repeat {
            let part = rest.prefix(PeerLimits.tubesPerMessage)
            rest = rest.dropFirst(part.count)
            let bytes = part.reduce(64) { $0 + $1.description.utf8.count }
            add(.answer(id, .tubes(Array(part)), isLast: rest.isEmpty), bytes: bytes)
        } while !rest.isEmpty
    }

    private mutating func add(_ answer: PeerMessage, bytes: Int) {
        guard answerBytes + bytes <= PeerLimits.answerBytesMax else {
            droppedCount += 1
            return
        }
        answers.append(answer)
        answerBytes += bytes
    }

    mutating func add(wait tube: TubeName, isWaiting: Bool) {
        guard !tellsAllWaits else { return }
        changes[tube] = isWaiting
        if changes.count > PeerLimits.changesMax { tellAllWaits() }
    }

    mutating func tellAllWaits() {
        tellsAllWaits = true
        changes = [:]
    }

    /// Forgets what is of no use later: all but the waits.
    mutating func dropNews() {
        work = [:]
        pauses = []
        questions = []
        answers = []
        answerBytes = 0
    }

    /// Takes all that is to be told, as payloads of frames.
    ///
    /// - Parameters:
    ///   - waits: the tubes on which consumers of this process wait.
    ///   - version: the number of the last change of them.
    /// - Returns: the payloads.
    mutating func take(waits: Set<TubeName>, version: UInt64) -> [ByteBuffer] {
        var packer = Packer()
        if tellsAllWaits {
            packer.add(waits.map { .init(tube: $0, isWaiting: true) }, version: version, isBeginning: true)
        } else if !changes.isEmpty {
            let list = changes.map { PeerMessage.Wait(tube: $0.key, isWaiting: $0.value) }
            packer.add(list, version: version, isBeginning: false)
        }
        work.forEach { packer.add(.work($0.key, priority: $0.value)) }
        pauses.forEach { packer.add(.pause($0)) }
        questions.forEach { packer.add(.ask($0.id, $0.question)) }
        answers.forEach { packer.add($0) }
        let dropped = droppedCount
        self = PeerOutbox()
        droppedCount = dropped
        return packer.payloads
    }

    /// Fills payloads with messages.
    private struct Packer {
        private(set) var payloads: [ByteBuffer] = []

        mutating func add(_ waits: [PeerMessage.Wait], version: UInt64, isBeginning: Bool) {
            var rest = waits[...]
            var isFirst = true
            repeat {
                let part = rest.prefix(PeerLimits.tubesPerMessage)
                rest = rest.dropFirst(part.count)
                add(.waits(version: version, isBeginning: isBeginning && isFirst, Array(part)))
                isFirst = false
            } while !rest.isEmpty
        }

        mutating func add(_ message: PeerMessage) {
            var buffer = ByteBuffer()
            buffer.writeMessage(message)
            if let last = payloads.indices.last,
                payloads[last].readableBytes + buffer.readableBytes <= PeerLimits.payloadBytesMax
            {
                payloads[last].writeBuffer(&buffer)
            } else {
                payloads.append(buffer)
            }
        }
    }
}

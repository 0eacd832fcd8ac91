import BeanspikeCore
import NIOCore

/// What processes tell each other.
enum PeerMessage: Sendable, Hashable {
    /// A tube, and whether consumers wait on it.
    struct Wait: Sendable, Hashable {
        var tube: TubeName
        var isWaiting: Bool
    }

    /// On which tubes consumers of the sender wait, or no longer do.
    ///
    /// The version grows with each change, so that news which took a slower way are recognised. A beginning comes before
    /// a list of all tubes and makes the receiver forget those before.
    case waits(version: UInt64, isBeginning: Bool, [Wait])
    /// A job of a priority is ready in a tube.
    case work(TubeName, priority: UInt32)
    /// A tube was paused, or is no more.
    case pause(TubeName)
    /// A question, with a number for the answer.
    case ask(UInt64, PeerQuestion)
    /// An answer, or a part of one that others follow.
    case answer(UInt64, PeerAnswer, isLast: Bool)
}

/// Bytes that no peer of this version sends.
struct PeerViolation: Error, Equatable, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

// MARK: Bytes

extension ByteBuffer {
    private enum MessageType {
        static let waits: UInt8 = 1
        static let work: UInt8 = 2
        static let pause: UInt8 = 3
        static let ask: UInt8 = 4
        static let answer: UInt8 = 5
    }

    private enum Subject {
        static let sessions: UInt8 = 1
        static let tubes: UInt8 = 2
        static let waiting: UInt8 = 3
    }

    mutating func writeMessage(_ message: PeerMessage) {
        switch message {
        case .waits(let version, let isBeginning, let waits):
            writeInteger(MessageType.waits)
            writeInteger(version)
            writeInteger(UInt8(isBeginning ? 1 : 0))
            writeInteger(UInt16(truncatingIfNeeded: waits.count))
            for wait in waits {
                writeInteger(UInt8(wait.isWaiting ? 1 : 0))
                writeTube(wait.tube)
            }
        case .work(let tube, let priority):
            writeInteger(MessageType.work)
            writeInteger(priority)
            writeTube(tube)
        case .pause(let tube):
            writeInteger(MessageType.pause)
            writeTube(tube)
        case .ask(let id, let question):
            writeInteger(MessageType.ask)
            writeInteger(id)
            switch question {
            case .sessions(let tube):
                writeInteger(Subject.sessions)
                writeTube(tube)
            case .tubes: writeInteger(Subject.tubes)
            case .waiting: writeInteger(Subject.waiting)
            }
        case .answer(let id, let answer, let isLast):
            writeInteger(MessageType.answer)
            writeInteger(id)
            writeInteger(UInt8(isLast ? 1 : 0))
            writeAnswer(answer)
        }
    }

    private mutating func writeAnswer(_ answer: PeerAnswer) {
        switch answer {
        case .sessions(let using, let watching, let waiting):
            writeMultipleIntegers(Subject.sessions, using, watching, waiting)
        case .tubes(let tubes):
            writeInteger(Subject.tubes)
            writeInteger(UInt16(truncatingIfNeeded: tubes.count))
            for tube in tubes {
                writeTube(tube)
            }
        case .waiting(let count):
            writeMultipleIntegers(Subject.waiting, count)
        }
    }

    /// A tube's name has at most 200 bytes, so its length is one byte.
    private mutating func writeTube(_ tube: TubeName) {
        let name = tube.description
        writeInteger(UInt8(truncatingIfNeeded: name.utf8.count))
        writeString(name)
    }

    /// Reads a message.
    ///
    /// - Returns: the message; nil if nothing is left.
    /// - Throws: ``PeerViolation`` if the bytes are no message.
    mutating func readMessage() throws(PeerViolation) -> PeerMessage? {
        guard readableBytes > 0 else { return nil }
        let type: UInt8 = try readNumber()
        switch type {
        case MessageType.waits:
            let version: UInt64 = try readNumber()
            let isBeginning = try readFlag()
            let count: UInt16 = try readNumber()
            var waits: [PeerMessage.Wait] = []
            for _ in 0..<count {
                let isWaiting = try readFlag()
                waits.append(PeerMessage.Wait(tube: try readTube(), isWaiting: isWaiting))
            }
            return .waits(version: version, isBeginning: isBeginning, waits)
        case MessageType.work:
            let priority: UInt32 = try readNumber()
            return .work(try readTube(), priority: priority)
        case MessageType.pause: return .pause(try readTube())
        case MessageType.ask:
            let id: UInt64 = try readNumber()
            return .ask(id, try readQuestion())
        case MessageType.answer:
            let id: UInt64 = try readNumber()
            let isLast = try readFlag()
            return .answer(id, try readAnswer(), isLast: isLast)
        default: throw PeerViolation("a message of type \(type), which is unknown")
        }
    }

    private mutating func readQuestion() throws(PeerViolation) -> PeerQuestion {
        let subject: UInt8 = try readNumber()
        switch subject {
        case Subject.sessions: return .sessions(try readTube())
        case Subject.tubes: return .tubes
        case Subject.waiting: return .waiting
        default: throw PeerViolation("a question of type \(subject), which is unknown")
        }
    }

    private mutating func readAnswer() throws(PeerViolation) -> PeerAnswer {
        let subject: UInt8 = try readNumber()
        switch subject {
        case Subject.sessions:
            return .sessions(using: try readNumber(), watching: try readNumber(), waiting: try readNumber())
        case Subject.tubes:
            let count: UInt16 = try readNumber()
            var tubes: [TubeName] = []
            for _ in 0..<count {
                tubes.append(try readTube())
            }
            return .tubes(tubes)
        case Subject.waiting: return .waiting(try readNumber())
        default: throw PeerViolation("an answer of type \(subject), which is unknown")
        }
    }

    private mutating func readNumber<Number: FixedWidthInteger>() throws(PeerViolation) -> Number {
        guard let number = readInteger(as: Number.self) else { throw PeerViolation("a message that ends too soon") }
        return number
    }

    private mutating func readFlag() throws(PeerViolation) -> Bool {
        let flag: UInt8 = try readNumber()
        guard flag < 2 else { throw PeerViolation("a flag of \(flag)") }
        return flag == 1
    }

    private mutating func readTube() throws(PeerViolation) -> TubeName {
        let length: UInt8 = try readNumber()
        guard let bytes = readSlice(length: Int(length)) else { throw PeerViolation("a name that ends too soon") }
        guard let tube = bytes.withUnsafeReadableBytes({ TubeName(utf8: $0) }) else {
            throw PeerViolation("a name that is no tube's")
        }
        return tube
    }
}

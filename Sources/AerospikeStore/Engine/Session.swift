import BeanspikeCore
import NIOCore

/// A command with its body, if it has one.
struct PendingCommand {
    var command: Command
    var body: ByteBuffer
}

/// Names a command of a session: its replies are given in this order.
typealias Ticket = Int

/// One session: what it uses, watches, holds and has asked for.
///
/// Confined to the engine.
///
/// `@unchecked Sendable`: the engine alone uses it, on its event loop.
final class Session: @unchecked Sendable {
    /// Commands that may be under way together, because nobody can tell their order.
    enum Company: Equatable {
        case put(ObjectIdentifier)
        /// What makes a job ready, or gives it more time: a reserve behind it can tell.
        case settle
        /// What takes a job out of the way, which no reserve can tell.
        case dispose
        /// Reserves that do not wait, and what takes jobs out of the way.
        case reserve
        /// A reserve that may wait, and what takes jobs out of the way before it.
        case wait
        /// Alone.
        case none

        /// What they are with one more; nil where it may not be under way with them.
        func joined(by next: Company) -> Company? {
            switch (self, next) {
            case (.none, _), (_, .none), (.wait, _): nil
            case (.dispose, .wait): .wait
            case (.dispose, .settle), (.settle, .dispose): .settle
            case (.dispose, .reserve), (.reserve, .dispose): .reserve
            default: self == next ? self : nil
            }
        }
    }

    let id: SessionID
    let outbox: Outbox
    var used: Tube
    /// Never empty while the session is open.
    var watched: [Tube]
    /// The jobs that it holds.
    var held: Set<JobID> = []
    var isOpen = true
    /// Commands that are not begun.
    var queue = CircularBuffer<PendingCommand>()
    /// What is under way, and how much of it.
    var company = Company.none
    var underWay = 0
    /// The reserve that may wait and is not answered.
    var reserving: ReserveRequest?
    /// Whether the next reserve is not to wait: that was asked for before it could begin.
    var endsNextWait = false
    /// When a job of its was settled last, if it has asked for none since.
    var settledAt: NIODeadline?
    /// How often in a row it asked for a job right after.
    var returns = 0
    /// Whether it waits.
    var isWaiting: Bool { reserving?.turn != nil }

    /// Replies of commands that are begun, the first of them that of `firstTicket`; nil while it is not known.
    private var replies = CircularBuffer<FinishedReply?>()
    private var firstTicket: Ticket = 0

    /// A session that uses and watches one tube.
    init(id: SessionID, outbox: Outbox, tube: Tube) {
        self.id = id
        used = tube
        watched = [tube]
        self.outbox = outbox
    }

    /// A place for the next reply.
    func takeTicket() -> Ticket {
        replies.append(nil)
        return firstTicket + replies.count - 1
    }

    /// Gives a reply, and sends all that are due.
    func answer(_ ticket: Ticket, _ reply: Reply, body: ByteBuffer? = nil) {
        let offset = ticket - firstTicket
        guard isOpen, offset >= 0, offset < replies.count else { return }
        guard offset == 0 else {
            replies[replies.index(replies.startIndex, offsetBy: offset)] = FinishedReply(reply: reply, body: body)
            return
        }
        replies.removeFirst()
        firstTicket += 1
        outbox.append(FinishedReply(reply: reply, body: body), session: id)
        while let first = replies.first, let finished = first {
            replies.removeFirst()
            firstTicket += 1
            outbox.append(finished, session: id)
        }
    }
}

/// A reply on its way, with the body that it hands out.
struct FinishedReply {
    var reply: Reply
    var body: ByteBuffer?
}

/// A reserve that has no job yet.
///
/// Confined to the engine.
///
/// `@unchecked Sendable`: the engine alone uses it, on its event loop.
final class ReserveRequest: @unchecked Sendable {
    let session: Session
    let ticket: Ticket
    let wait: ReserveWait
    /// The tubes that the session watched when it asked.
    let watched: [Tube]
    /// When it was made: what was looked at before may have changed since.
    let since: NIODeadline
    /// Not nil once the session waits; rises with every wait, so that the longest is served first.
    var turn: UInt64?
    /// Whether it is to be answered now, with or without a job.
    var isEnding = false
    /// Tubes that are being looked at for it.
    var looks = 0
    /// Whether some segment is being asked for a job for it.
    var isAsking = false
    var isOver = false
    /// Whether it got a job that was reserved ahead, while a work was under way to reserve one for it.
    private(set) var wasServedAhead = false

    init(session: Session, ticket: Ticket, wait: ReserveWait, watched: [Tube], since: NIODeadline) {
        self.session = session
        self.ticket = ticket
        self.wait = wait
        self.watched = watched
        self.since = since
    }

    /// One that asks for what this one has not got, in what is left of its time.
    func again(at now: NIODeadline) -> ReserveRequest {
        var left = wait
        if case .microseconds(let limit) = wait {
            left = .microseconds(max(0, limit - (now - since).nanoseconds / 1_000))
        }
        return ReserveRequest(session: session, ticket: ticket, wait: left, watched: watched, since: now)
    }

    /// Notes that it gets a job that was reserved ahead.
    func servedAhead() -> ReserveRequest {
        wasServedAhead = true
        return self
    }
}

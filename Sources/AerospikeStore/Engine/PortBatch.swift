import BeanspikeCore
import NIOCore

/// What a port has for the engine.
enum PortEvent: Sendable {
    case open(SessionID, Outbox)
    /// The next so many of the batch's commands are the session's.
    case submit(SessionID, count: Int)
    case endWait(SessionID)
    case close(SessionID)
}

/// What was asked for through one port, on its way to the engine: so much memory as it takes is got once for all of it.
struct PortBatch: Sendable {
    private(set) var events: [PortEvent] = []
    private var commands: [Command] = []
    /// The bodies of the commands that bring one, some together.
    private var bodies: [ByteBuffer] = []
    private var taken = 0
    /// Which of them comes next, and how much of it is taken.
    private var bodiesTaken = BodyPlace()

    /// Where the next body goes, or is.
    private struct BodyPlace {
        var index = -1
        var offset = PortBatch.sharedBytesMax + 1

        /// Goes to where a body of so many bytes is.
        mutating func advance(_ count: Int) {
            if offset + count > PortBatch.sharedBytesMax {
                index += 1
                offset = 0
            }
            offset += count
        }
    }

    private var bodiesAdded = BodyPlace()

    /// Bodies share so many bytes of memory at most: all of it stays as long as one of them is kept.
    private static let sharedBytesMax = 16_384

    /// With more than this it is not kept for what comes next.
    private static let keptCommandsMax = 4_096

    var isEmpty: Bool { events.isEmpty }

    mutating func add(_ event: PortEvent) { events.append(event) }

    /// The next commands are a session's; each is to be added.
    mutating func begin(_ count: Int, _ session: SessionID) {
        events.append(.submit(session, count: count))
    }

    /// Adds a command.
    ///
    /// - Parameters:
    ///   - command: what to do.
    ///   - bytes: what its range points into; the body is copied.
    mutating func add(_ command: Command, _ bytes: UnsafeRawBufferPointer) {
        commands.append(command)
        guard let body = command.body else { return }
        bodiesAdded.advance(body.count)
        if bodiesAdded.index == bodies.count { bodies.append(ByteBuffer()) }
        let source = UnsafeRawBufferPointer(rebasing: bytes[body.offset..<body.offset + body.count])
        bodies[bodiesAdded.index].writeBytes(source)
    }

    /// Takes the next command out, with its body.
    ///
    /// The bodies of a batch share memory: what is kept for long has to be copied.
    mutating func next() -> PendingCommand {
        let command = commands[taken]
        taken += 1
        guard let body = command.body else { return PendingCommand(command: command, body: ByteBuffer()) }
        bodiesTaken.advance(body.count)
        let slice = bodies[bodiesTaken.index].readSlice(length: body.count)
        return PendingCommand(command: command, body: slice ?? ByteBuffer())
    }

    /// Takes all out.
    mutating func take() -> PortBatch {
        var batch = PortBatch()
        swap(&batch, &self)
        return batch
    }

    /// Takes the room of a batch that is done with, if nothing came meanwhile.
    mutating func giveBack(_ batch: inout PortBatch) {
        guard isEmpty, events.capacity == 0, batch.commands.count <= Self.keptCommandsMax else { return }
        swap(&batch, &self)
        events.removeAll(keepingCapacity: true)
        commands.removeAll(keepingCapacity: true)
        taken = 0
        // The bodies are in use, most often.
        bodies.removeAll(keepingCapacity: true)
        (bodiesAdded, bodiesTaken) = (BodyPlace(), BodyPlace())
    }
}

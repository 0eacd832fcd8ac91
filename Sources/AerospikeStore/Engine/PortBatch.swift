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
    /// The bodies of the commands that bring one.
    private var bodies = ByteBuffer()
    private var taken = 0

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
        bodies.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[body.offset..<body.offset + body.count]))
    }

    /// Takes the next command out, with its body.
    ///
    /// The bodies of a batch share memory: what is kept for long has to be copied.
    mutating func next() -> PendingCommand {
        let command = commands[taken]
        taken += 1
        let body = command.body.flatMap { bodies.readSlice(length: $0.count) }
        return PendingCommand(command: command, body: body ?? ByteBuffer())
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
        // They are in use, most often.
        bodies = ByteBuffer()
    }
}

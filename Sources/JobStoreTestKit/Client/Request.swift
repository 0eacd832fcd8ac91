public import BeanspikeCore

/// A command with its body, before the two are laid out for a store.
public struct Request: Sendable {
    /// What to do; the range of a put or an update is filled in when it is submitted.
    public var command: Command
    /// The body of a put or an update; empty otherwise.
    public var body: [UInt8]

    /// A request.
    public init(_ command: Command, body: [UInt8] = []) {
        self.command = command
        self.body = body
    }

    /// A put.
    public static func put(
        _ body: [UInt8] = [],
        priority: UInt32 = 0,
        delay: UInt32 = 0,
        ttr: UInt32 = 60,
        attributes: JobAttributes? = nil
    ) -> Request {
        Request(
            .put(priority: priority, delaySeconds: delay, ttrSeconds: ttr, body: .empty, attributes: attributes),
            body: body
        )
    }

    /// Another body for a job.
    public static func update(_ job: JobID, _ body: [UInt8], form: BodyForm = .plain) -> Request {
        Request(.update(job, body: .empty, form: form), body: body)
    }

    var isPut: Bool {
        guard case .put = command else { return false }
        return true
    }

    /// The command with its body's place in `bytes`, to which the body is added.
    func laidOut(in bytes: inout [UInt8]) -> Command {
        let range = ByteRange(offset: bytes.count, count: body.count)
        switch command {
        case .put(let priority, let delay, let ttr, _, let attributes):
            bytes.append(contentsOf: body)
            return .put(priority: priority, delaySeconds: delay, ttrSeconds: ttr, body: range, attributes: attributes)
        case .update(let job, _, let form):
            bytes.append(contentsOf: body)
            return .update(job, body: range, form: form)
        default:
            return command
        }
    }
}

import Glibc

/// Drives one server over several connections from one thread.
final class LoadGenerator {
    let address: ServerAddress
    private let connections: [LoadConnection]
    private let readiness: Readiness
    /// Whether each connection's room to write is watched for too.
    private var awaitsRoom: [Bool]

    /// A server that answers nothing for so long is given up.
    static let stallNanoseconds: UInt64 = 20_000_000_000

    /// Connects, and makes every connection use and watch only this tube.
    init(
        _ address: ServerAddress,
        shape: LoadShape,
        tube: String,
        ttrSeconds: UInt32,
        allowRemote: Bool
    ) throws {
        self.address = address
        connections = try (0..<shape.connections).map { _ in
            let connection = try BeanstalkConnection(to: address)
            guard connection.isLocal || allowRemote else {
                throw CommandError.misused(
                    "\(address) is not on this machine. A benchmark loads a server as hard as it can:"
                        + " say --allow-remote if that is what you want."
                )
            }
            for (command, expected) in [
                ("use \(tube)", "USING \(tube)"), ("watch \(tube)", "WATCHING 2"), ("ignore default", "WATCHING 1"),
            ] {
                let reply = try connection.request(command)
                guard reply.line == expected else {
                    throw CommandError.failed("\(address) answered \(command) with \(reply.line), not \(expected).")
                }
            }
            return LoadConnection(over: connection, shape: shape, ttrSeconds: ttrSeconds)
        }
        readiness = try Readiness(connections.map(\.descriptor))
        awaitsRoom = connections.map { _ in false }
    }

    /// What one phase came to.
    struct Outcome {
        var tally: LoadTally
        /// From the first command to the last reply.
        var nanoseconds: UInt64
        /// Processor time that this process spent meanwhile.
        var ownCPUNanoseconds: UInt64

        /// Units a second.
        var rate: Double { nanoseconds == 0 ? 0 : Double(tally.unitsDone) * 1e9 / Double(nanoseconds) }
    }

    /// Runs one phase to its end.
    ///
    /// - Parameters:
    ///   - plan: what to send.
    ///   - secondsMax: after so long no unit is begun any more.
    ///   - progress: is told ten times a second how many units are done.
    /// - Returns: what was counted.
    /// - Throws: ``CommandError`` where a connection breaks or the server stalls.
    func run(_ plan: LoadPlan, secondsMax: Double, progress: (Int) -> Void) throws -> Outcome {
        var tally = LoadTally(units: plan.units)
        let ownCPUBefore = Self.ownCPUNanoseconds()
        let begin = MonotonicTime.now
        let deadline = begin + UInt64(secondsMax * 1e9)
        var now = begin
        var lastReplies = 0
        var lastProgress = begin
        var lastReport = begin

        for index in plan.endsWhenEmpty ? connections.indices.prefix(1) : connections.indices {
            try connections[index].start(plan, &tally)
            try watch(index)
        }
        while connections.contains(where: { $0.inFlight > 0 }) {
            for index in try readiness.wait(milliseconds: 1_000) {
                let connection = connections[index]
                if connection.hasOutput { try connection.flush() }
                try connection.turn(plan, &tally)
                try watch(index)
            }
            now = MonotonicTime.now
            if tally.replies != lastReplies {
                lastReplies = tally.replies
                lastProgress = now
            } else if now - lastProgress > Self.stallNanoseconds {
                throw CommandError.failed("\(address) has answered nothing for 20 seconds.")
            }
            if now >= deadline || (!plan.isCleanUp && Interruption.signalReceived != nil) { tally.unitsLeft = 0 }
            if now - lastReport > 100_000_000 {
                lastReport = now
                progress(tally.unitsDone)
            }
        }
        return Outcome(
            tally: tally,
            nanoseconds: now - begin,
            ownCPUNanoseconds: Self.ownCPUNanoseconds() - ownCPUBefore
        )
    }

    /// Sees to it that a connection with more to write hears when there is room.
    private func watch(_ index: Int) throws {
        let isFull = connections[index].hasOutput
        guard awaitsRoom[index] != isFull else { return }
        awaitsRoom[index] = isFull
        try readiness.change(connections[index].descriptor, index, awaitsRoom: isFull)
    }

    private static func ownCPUNanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

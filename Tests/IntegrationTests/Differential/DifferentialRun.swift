import Foundation

/// Asks two servers the same random things and compares what they answer.
///
/// Every wait is settled before the next command: replies of both are read, and a `reserve` that got none is known to
/// wait. Delays, times to run and pauses are nothing or an hour, so that no clock has a say. At most one connection
/// waits at a time: which of several gets a job first is up to the server.
struct DifferentialRun {
    private static let tubes = ["default", "a", "b", "c"]
    private static let hour: UInt32 = 3600
    private static let connectionCount = 4

    private var random: SeededGenerator
    private var sides: [Side]
    /// The connection that waits in a `reserve`.
    private var waiting: Int?
    /// Jobs that were put so far; commands name them by this order.
    private var jobCount = 0
    /// What happened, for the message of a failure.
    private var history: [String] = []

    /// One of the two servers.
    private struct Side {
        let server: ServerProcess
        var connections: [RawConnection]
        let control: RawConnection
        /// The id of each job, by the order of their puts.
        var ids: [UInt64] = []
        /// And back.
        var orders: [UInt64: Int] = [:]
    }

    init(seed: UInt64, servers: [ServerProcess]) throws {
        random = SeededGenerator(seed: seed)
        sides = try servers.map { server in
            let connections = try (0..<Self.connectionCount).map { _ in try server.connect() }
            // An answer on each shows that the server has accepted them all.
            for connection in connections { _ = try connection.ask("list-tube-used") }
            return Side(server: server, connections: connections, control: try server.connect())
        }
    }

    /// Runs so many commands.
    mutating func run(commands: Int) throws {
        for number in 0..<commands {
            do {
                try step()
                if number % 50 == 49 { try compareStatistics() }
            } catch {
                throw TestFailure("command \(number): \(error)\n\(history.suffix(25).joined(separator: "\n"))")
            }
        }
        try compareStatistics()
        try compareAllJobs()
    }

    // MARK: Commands

    private mutating func step() throws {
        var speaker = Int.random(in: 0..<Self.connectionCount, using: &random)
        if speaker == waiting { speaker = (speaker + 1) % Self.connectionCount }
        if random.oneIn(120) { return try reconnect(speaker) }
        let command = nextCommand()
        history.append("\(speaker)> \(command.text.prefix(120).debugDescription)")
        for index in sides.indices {
            try sides[index].connections[speaker].send(bytes: command.bytes(ids: sides[index].ids))
        }
        if command.isReserve, waiting == nil {
            if try !settlesAtOnce(speaker) {
                waiting = speaker
                history.append("\(speaker) waits")
                return
            }
        }
        try compareReplies(of: speaker, isPut: command.isPut)
        try settleWaiting()
    }

    /// One command: its text names jobs as `@order`.
    private struct Command {
        var text: String
        var body: [UInt8]?
        var isPut = false
        var isReserve = false

        /// The bytes for a server that gave the jobs these ids.
        func bytes(ids: [UInt64]) -> [UInt8] {
            let words = text.split(separator: " ", omittingEmptySubsequences: false).map { word -> String in
                guard word.hasPrefix("@"), let order = Int(word.dropFirst()) else { return String(word) }
                return order < ids.count ? "\(ids[order])" : "\(9_000_000 + order)"
            }
            return Array(words.joined(separator: " ").utf8) + [0x0D, 0x0A] + (body.map { $0 + [0x0D, 0x0A] } ?? [])
        }
    }

    private static let malformed = [
        "put 0 0 0", "put a b c d", "delete", "delete x", "release 1 2", "bury 1", "kick", "kick x", "use", "use -a",
        "watch a,b", "stats 1", "peek", "peek-none", "touch 1 2", "reserve 1", "pause-tube a", "nonsense", "",
        "stats-tube -", "list-tubes x", "kick-job y", "reserve-job z", "put 4294967296 0 0 0", "ignore *",
    ]

    private mutating func nextCommand() -> Command {
        // Mostly jobs of the last few dozen, so that most are still there.
        let oldest = max(0, jobCount - 40)
        let job = "@\(Int.random(in: oldest...(jobCount + 1), using: &random))"
        let tube = Self.tubes.randomElement(using: &random) ?? "default"
        let priority = [0, 1, 1023, 1024, 4_294_967_295].randomElement(using: &random) ?? 0
        let delay = random.oneIn(4) ? Self.hour + UInt32.random(in: 0..<3, using: &random) * Self.hour : 0
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<20: return put(priority: priority, delay: delay)
        case 20..<33:
            // A wait only where nobody waits yet.
            return waiting == nil && random.oneIn(4)
                ? Command(text: random.oneIn(2) ? "reserve" : "reserve-with-timeout 7200", isReserve: true)
                : Command(text: "reserve-with-timeout 0")
        case 33..<37: return Command(text: "reserve-job \(job)")
        case 37..<45: return Command(text: "delete \(job)")
        case 45..<52: return Command(text: "release \(job) \(priority) \(delay)")
        case 52..<58: return Command(text: "bury \(job) \(priority)")
        case 58..<60: return Command(text: "touch \(job)")
        case 60..<64: return Command(text: "kick \(Int.random(in: 0...4, using: &random))")
        case 64..<67: return Command(text: "kick-job \(job)")
        case 67..<70: return Command(text: "peek \(job)")
        case 70..<75:
            return Command(text: ["peek-ready", "peek-delayed", "peek-buried"].randomElement(using: &random) ?? "")
        case 75..<80: return Command(text: "use \(tube)")
        case 80..<84: return Command(text: "watch \(tube)")
        case 84..<87: return Command(text: "ignore \(tube)")
        case 87..<90: return Command(text: "stats-job \(job)")
        case 90..<92: return Command(text: "stats-tube \(tube)")
        case 92..<93: return Command(text: "list-tubes")
        case 93..<94: return Command(text: "list-tubes-watched")
        case 94..<95: return Command(text: "list-tube-used")
        case 95..<96: return Command(text: "pause-tube \(tube) \(random.oneIn(3) ? Self.hour : 0)")
        default: return Command(text: Self.malformed.randomElement(using: &random) ?? "")
        }
    }

    private mutating func put(priority: Int, delay: UInt32) -> Command {
        let size = random.oneIn(20) ? 3000 : Int.random(in: 0...60, using: &random)
        let body = (0..<size).map { _ in UInt8.random(in: 0...255, using: &random) }
        let head = "put \(priority) \(delay) \(Self.hour * 2)"
        if random.oneIn(40) {
            // Two bytes that are no CRLF: an error, and then an empty line.
            return Command(text: "\(head) \(size)", body: body + [0x2D, 0x2D])
        }
        return Command(text: "\(head) \(size)", body: body, isPut: true)
    }

    // MARK: Settling

    /// Whether a `reserve` just sent is answered at once on both sides; they must agree.
    private func settlesAtOnce(_ speaker: Int) throws -> Bool {
        let answered = try sides.map { side -> Bool in
            let deadline = Deadline(seconds: RawConnection.patienceSeconds)
            while !deadline.hasPassed {
                if try side.connections[speaker].hasInput() { return true }
                if try side.control.ask("stats")["current-waiting"] == "1" {
                    // A reply that left before the count was taken is here by now.
                    return try side.connections[speaker].hasInput()
                }
            }
            throw TestFailure("\(side.server.program.path) neither answers the reserve nor lets it wait")
        }
        guard Set(answered).count == 1 else { throw TestFailure("one side answers the reserve, the other waits") }
        return answered[0]
    }

    /// Reads the replies of the waiting connection if the last command ended its wait.
    private mutating func settleWaiting() throws {
        guard let waiter = waiting else { return }
        let ended = try sides.map { try $0.control.ask("stats")["current-waiting"] == "0" }
        guard Set(ended).count == 1 else { throw TestFailure("the wait ended on one side only: \(ended)") }
        guard ended[0] else { return }
        waiting = nil
        history.append("\(waiter) waits no more")
        try compareReplies(of: waiter, isPut: false)
    }

    /// Ends one connection and opens another in its place.
    private mutating func reconnect(_ speaker: Int) throws {
        history.append("\(speaker) reconnects")
        for index in sides.indices {
            sides[index].connections[speaker].close()
            let deadline = Deadline(seconds: RawConnection.patienceSeconds)
            while try sides[index].control.ask("stats")["current-connections"] != "\(Self.connectionCount)" {
                guard !deadline.hasPassed else { throw TestFailure("a closed connection stays") }
            }
            sides[index].connections[speaker] = try sides[index].server.connect()
            _ = try sides[index].connections[speaker].ask("list-tube-used")
        }
        try settleWaiting()
    }

    // MARK: Comparing

    private mutating func compareReplies(of speaker: Int, isPut: Bool) throws {
        var replies: [WireReply] = []
        for index in sides.indices {
            var reply = try sides[index].connections[speaker].readReply()
            // What comes behind a body that had no CRLF is an empty command.
            if reply.line == "EXPECTED_CRLF" {
                reply.line += " " + (try sides[index].connections[speaker].readReply().line)
            }
            if isPut, let id = reply.id(after: "INSERTED") {
                if let last = sides[index].ids.last, id <= last { throw TestFailure("id \(id) after \(last)") }
                sides[index].orders[id] = sides[index].ids.count
                sides[index].ids.append(id)
            }
            replies.append(normalized(reply, orders: sides[index].orders))
        }
        history.append("\(speaker)< \(replies[0].line) \(replies[0].text.prefix(60).debugDescription)")
        jobCount = sides[0].ids.count
        guard replies[0] == replies[1] else {
            throw TestFailure(
                "\(sides[0].server.program.path): \(show(replies[0]))\n"
                    + "\(sides[1].server.program.path): \(show(replies[1]))"
            )
        }
    }

    private func show(_ reply: WireReply) -> String { "\(reply.line.debugDescription) \(reply.text.debugDescription)" }

    /// The reply with ids as the order of their puts, lists sorted, and what only a clock decides left out.
    private func normalized(_ reply: WireReply, orders: [UInt64: Int]) -> WireReply {
        var result = reply
        var words = reply.line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        if ["INSERTED", "RESERVED", "FOUND"].contains(words[0]), words.count > 1, let id = UInt64(words[1]) {
            words[1] = orders[id].map { "@\($0)" } ?? "unknown job"
            result.line = words.joined(separator: " ")
        }
        guard words[0] == "OK" else { return result }
        result.line = "OK"
        var lines = reply.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.allSatisfy({ $0.hasPrefix("-") || $0.isEmpty }) {
            lines.sort()
        } else {
            lines = lines.map { Self.normalizedLine($0, orders) }
        }
        result.body = Array(lines.joined(separator: "\n").utf8)
        return result
    }

    private static func normalizedLine(_ line: String, _ orders: [UInt64: Int]) -> String {
        guard let colon = line.firstIndex(of: ":") else { return line }
        let key = line[..<colon]
        let value = line[line.index(after: colon)...].filter { $0 != "\"" && $0 != " " }
        switch key {
        case "id": return "id: \(UInt64(value).flatMap { orders[$0] }.map { "@\($0)" } ?? "?")"
        case "age", "file": return "\(key): ?"
        // Zero or not is for the state to say; how much is for the clock.
        case "time-left", "pause-time-left": return "\(key): \(value == "0" ? "0" : "?")"
        default: return "\(key): \(value)"
        }
    }

    /// The counters of `stats` that two servers with one history must share.
    private mutating func compareStatistics() throws {
        let own: Set = [
            "cmd-stats", "pid", "version", "rusage-utime", "rusage-stime", "uptime", "id", "hostname", "os", "platform",
            "binlog-oldest-index", "binlog-current-index", "binlog-records-migrated", "binlog-records-written",
            "binlog-max-size", "total-connections",
        ]
        let all = try sides.map { try $0.control.ask("stats").pairs }
        guard all[0].map(\.key) == all[1].map(\.key) else { throw TestFailure("stats has other keys") }
        for (one, other) in zip(all[0], all[1]) where !own.contains(one.key) && one.value != other.value {
            throw TestFailure("stats: \(one.key) is \(one.value) and \(other.value)")
        }
    }

    /// At the end: each job that was ever put.
    private mutating func compareAllJobs() throws {
        for order in 0..<jobCount {
            let states = try sides.map { side in
                normalized(try side.control.ask("stats-job \(side.ids[order])"), orders: side.orders)
            }
            guard states[0] == states[1] else {
                throw TestFailure("job @\(order): \(show(states[0]))\n\(show(states[1]))")
            }
        }
    }
}

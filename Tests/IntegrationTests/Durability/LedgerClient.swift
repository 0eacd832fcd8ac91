import Foundation

/// A client that changes its jobs at random and writes down what was acknowledged.
///
/// It sends a few commands at once, so that the server is always in the middle of something. When the connection
/// breaks, what was sent and not answered may have happened or not.
struct LedgerClient {
    private var ledger: JobLedger
    private var random: SeededGenerator
    private let onReply: () -> Void
    /// Most jobs that it keeps.
    private static let liveMax = 120

    /// A command that is on its way.
    private struct Pending {
        var bytes: [UInt8]
        /// How the reply has to start.
        var reply: String
        /// The jobs that it changes, and what each is after it.
        var changes: [(id: UInt64, after: JobLedger.Durable)] = []
        /// The body of a put.
        var put: (body: [UInt8], after: JobLedger.Durable)?
        /// A reservation makes a job ready to a restart; whether that is written is up to the server.
        var isReservation = false
        var isTouch = false
    }

    /// A client that goes on from `ledger`; `onReply` is called for every reply.
    init(_ ledger: JobLedger, seed: UInt64, onReply: @escaping () -> Void = {}) {
        self.ledger = ledger
        self.onReply = onReply
        random = SeededGenerator(seed: seed)
    }

    /// Works until the connection breaks or so many commands are answered; returns what it knows then.
    mutating func work(_ connection: RawConnection, commandsMax: Int) -> JobLedger {
        guard (try? connection.ask("use \(ledger.tube)"))?.line == "USING \(ledger.tube)",
            (try? connection.ask("watch \(ledger.tube)"))?.line == "WATCHING 2",
            (try? connection.ask("ignore default"))?.line == "WATCHING 1"
        else { return ledger }
        var commands = 0
        while commands < commandsMax, ledger.violation == nil {
            let batch = nextBatch()
            commands += batch.count
            var answered = 0
            do {
                try connection.send(bytes: batch.flatMap(\.bytes))
                for pending in batch {
                    let reply = try connection.readReply()
                    answered += 1
                    acknowledge(pending, reply)
                }
            } catch {
                for pending in batch[answered...] { doubt(pending) }
                return ledger
            }
        }
        return ledger
    }

    // MARK: What to send

    private mutating func nextBatch() -> [Pending] {
        // These two depend on all that came before them, so they go alone.
        if random.oneIn(8), let kick = kick() { return [kick] }
        if random.oneIn(6), let reserve = reserve() { return [reserve] }
        return (0..<Int.random(in: 1...12, using: &random)).compactMap { _ in change() }
    }

    private mutating func put() -> Pending {
        ledger.putsSent += 1
        let size =
            random.oneIn(10) ? Int.random(in: 1000...9000, using: &random) : Int.random(in: 0...90, using: &random)
        let filler = UInt8.random(in: 0...255, using: &random)
        let body = Array("\(ledger.tube):\(ledger.putsSent):".utf8) + [UInt8](repeating: filler, count: size)
        let priority = UInt32.random(in: 0...2000, using: &random)
        let delay: UInt32 = random.oneIn(4) ? 3600 : 0
        let after = JobLedger.Durable(state: delay > 0 ? .delayed : .ready, priority: priority, delay: delay)
        return Pending(
            bytes: Array("put \(priority) \(delay) 7200 \(body.count)\r\n".utf8) + body + [0x0D, 0x0A],
            reply: "INSERTED ",
            put: (body, after)
        )
    }

    /// Takes the best ready job.
    private mutating func reserve() -> Pending? {
        let ready = ledger.jobs.filter { $0.value.now.state == .ready && !$0.value.isReserved }
        guard let best = ready.min(by: { ($0.value.now.priority, $0.key) < ($1.value.now.priority, $1.key) }) else {
            return nil
        }
        return reservation(of: best.key, best.value, "reserve-with-timeout 0")
    }

    private mutating func reservation(of id: UInt64, _ job: JobLedger.Job, _ command: String) -> Pending {
        var after = job.now
        after.state = .ready
        after.delay = 0
        begin(id, after, isReserved: true)
        return Pending(
            bytes: Array("\(command)\r\n".utf8),
            reply: "RESERVED \(id) \(job.body.count)",
            changes: [(id, after)],
            isReservation: true
        )
    }

    /// Kicks the first buried jobs.
    private mutating func kick() -> Pending? {
        guard !ledger.burials.isEmpty else { return nil }
        let count = min(Int.random(in: 1...3, using: &random), ledger.burials.count)
        let changes = ledger.burials.prefix(count).compactMap { id in kicked(id).map { (id, $0) } }
        for (id, after) in changes { begin(id, after, isReserved: false) }
        return Pending(bytes: Array("kick \(count)\r\n".utf8), reply: "KICKED \(count)", changes: changes)
    }

    private func kicked(_ id: UInt64) -> JobLedger.Durable? {
        guard var after = ledger.jobs[id]?.now else { return nil }
        after.state = .ready
        after.delay = 0
        after.kicks += 1
        return after
    }

    /// A change of one job that needs to know nothing of others.
    private mutating func change() -> Pending? {
        let live = ledger.jobs.filter { $0.value.now.state != .gone }
        if live.count < 10 || (live.count < Self.liveMax && random.oneIn(3)) { return put() }
        guard let id = live.keys.sorted().randomElement(using: &random), let job = ledger.jobs[id] else { return nil }
        var after = job.now
        let priority = UInt32.random(in: 0...2000, using: &random)
        let delay: UInt32 = random.oneIn(3) ? UInt32.random(in: 3000...9000, using: &random) : 0
        let command: String
        let reply: String
        switch (job.isReserved, job.now.state, Int.random(in: 0..<4, using: &random)) {
        case (true, _, 0):
            after = JobLedger.Durable(
                state: delay > 0 ? .delayed : .ready,
                priority: priority,
                delay: delay,
                releases: after.releases + 1,
                buries: after.buries,
                kicks: after.kicks
            )
            (command, reply) = ("release \(id) \(priority) \(delay)", "RELEASED")
        case (true, _, 1):
            after.state = .buried
            after.priority = priority
            after.buries += 1
            (command, reply) = ("bury \(id) \(priority)", "BURIED")
        case (true, _, 2):
            return Pending(bytes: Array("touch \(id)\r\n".utf8), reply: "TOUCHED", isTouch: true)
        case (false, .buried, 0...1), (false, .delayed, 0):
            after = kicked(id) ?? after
            (command, reply) = ("kick-job \(id)", "KICKED")
        case (false, _, 1...2):
            return reservation(of: id, job, "reserve-job \(id)")
        default:
            after.state = .gone
            (command, reply) = ("delete \(id)", "DELETED")
        }
        begin(id, after, isReserved: false)
        return Pending(bytes: Array("\(command)\r\n".utf8), reply: reply, changes: [(id, after)])
    }

    /// The change is on its way: what comes after it in the same batch builds on it.
    private mutating func begin(_ id: UInt64, _ after: JobLedger.Durable, isReserved: Bool) {
        ledger.burials.removeAll { $0 == id }
        if after.state == .buried {
            ledger.burials.append(id)
            ledger.burialsSent += 1
            ledger.jobs[id]?.burials[after.buries] = ledger.burialsSent
        }
        ledger.jobs[id]?.now = after
        ledger.jobs[id]?.isReserved = isReserved
    }

    // MARK: What came back

    private mutating func acknowledge(_ pending: Pending, _ reply: WireReply) {
        ledger.acknowledged += 1
        onReply()
        guard pending.put == nil ? reply.line == pending.reply : reply.line.hasPrefix(pending.reply) else {
            let command = String(decoding: pending.bytes.prefix(60), as: UTF8.self).debugDescription
            ledger.violation = "\(command): expected \(pending.reply), got \(reply.line)"
            return
        }
        if let put = pending.put, let id = reply.id(after: "INSERTED") {
            if ledger.jobs[id] != nil { ledger.violation = "id \(id) was used twice" }
            ledger.jobs[id] = JobLedger.Job(body: put.body, now: put.after, possible: [put.after])
        }
        for (id, after) in pending.changes {
            if pending.isReservation {
                if reply.body != ledger.jobs[id]?.body { ledger.violation = "job \(id) came with another body" }
                ledger.jobs[id]?.possible.insert(after)
            } else {
                ledger.jobs[id]?.possible = [after]
            }
        }
    }

    /// Nobody answered: it may have happened or not.
    private mutating func doubt(_ pending: Pending) {
        if let put = pending.put { ledger.unacknowledgedPuts[put.body] = put.after }
        for (id, after) in pending.changes { ledger.jobs[id]?.possible.insert(after) }
    }
}

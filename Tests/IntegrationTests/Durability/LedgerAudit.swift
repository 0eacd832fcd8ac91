/// Compares what a server has after a restart with what its clients were told before.
struct LedgerAudit {
    private let connection: RawConnection

    init(_ server: ServerProcess) throws {
        connection = try server.connect()
    }

    /// Checks every job and makes the ledgers say what is there; throws at the first acknowledged change that is lost.
    func run(_ ledgers: inout [JobLedger]) throws {
        // A new job's id bounds those before it, and must be above all of them.
        let bound = try connection.put("audit")
        guard try connection.ask("delete \(bound)").line == "DELETED" else {
            throw TestFailure("cannot delete \(bound)")
        }
        var owners: [UInt64: Int] = [:]
        for (index, ledger) in ledgers.enumerated() {
            for id in ledger.jobs.keys {
                guard owners.updateValue(index, forKey: id) == nil else {
                    throw TestFailure("id \(id) was given twice")
                }
                guard id < bound else { throw TestFailure("id \(bound) came after \(id)") }
            }
        }
        for chunk in stride(from: 1, to: bound, by: 64) {
            let ids = Array(chunk..<min(chunk + 64, bound))
            try connection.send(bytes: ids.flatMap { Array("peek \($0)\r\nstats-job \($0)\r\n".utf8) })
            for id in ids {
                let peeked = try connection.readReply()
                let statistics = try connection.readReply()
                try check(id, peeked, statistics, owner: owners[id], &ledgers)
            }
        }
        for index in ledgers.indices { try settle(&ledgers[index]) }
    }

    private func check(
        _ id: UInt64,
        _ peeked: WireReply,
        _ statistics: WireReply,
        owner: Int?,
        _ ledgers: inout [JobLedger]
    ) throws {
        let found = Self.durable(statistics)
        guard let owner else {
            // An id that nobody was told: no job, or a put whose answer was lost.
            guard let found else { return }
            guard let body = peeked.body,
                let index = ledgers.firstIndex(where: { $0.unacknowledgedPuts[body] != nil }),
                ledgers[index].unacknowledgedPuts.removeValue(forKey: body) == found
            else { throw TestFailure("job \(id) was never put as it is: \(found)") }
            ledgers[index].jobs[id] = JobLedger.Job(body: body, now: found, possible: [found])
            return
        }
        guard let job = ledgers[owner].jobs[id] else { return }
        guard let found else {
            guard job.possible.contains(where: { $0.state == .gone }) else {
                throw TestFailure("job \(id) is lost; it may be \(job.possible)")
            }
            var gone = job.now
            gone.state = .gone
            return ledgers[owner].settle(id, as: gone)
        }
        guard job.possible.contains(found) else {
            throw TestFailure("job \(id) is \(found); it may be \(job.possible)")
        }
        guard peeked.line == "FOUND \(id) \(job.body.count)", peeked.body == job.body else {
            throw TestFailure("job \(id) has another body: \(peeked.line)")
        }
        guard statistics["tube"] == ledgers[owner].tube else {
            throw TestFailure("job \(id) is in tube \(statistics["tube"] ?? "?")")
        }
        ledgers[owner].settle(id, as: found)
    }

    /// After all jobs of the ledger are checked: what is not there never was, and burials are in order.
    private func settle(_ ledger: inout JobLedger) throws {
        ledger.unacknowledgedPuts = [:]
        let known = ledger.burials
        let buried = ledger.live.filter { ledger.jobs[$0]?.now.state == .buried }
        // A burial that was undone in doubt has its old place; where that is, nobody wrote down.
        ledger.burials = known.filter(buried.contains) + buried.filter { !known.contains($0) }
        guard !ledger.burials.isEmpty else { return }
        _ = try connection.ask("use \(ledger.tube)")
        guard let first = try connection.ask("peek-buried").id(after: "FOUND") else {
            throw TestFailure("\(ledger.tube) has no buried job")
        }
        guard first == ledger.burials[0] || !known.contains(first) else {
            throw TestFailure("\(ledger.tube): \(first) is first of the buried, not \(ledger.burials[0])")
        }
    }

    /// What `stats-job` says of a job; nil where there is none.
    private static func durable(_ reply: WireReply) -> JobLedger.Durable? {
        guard reply.line != "NOT_FOUND", let text = reply["state"], let state = JobLedger.Durable.State(rawValue: text)
        else { return nil }
        func number(_ key: String) -> Int { reply[key].flatMap { Int($0) } ?? -1 }
        return JobLedger.Durable(
            state: state,
            priority: UInt32(clamping: number("pri")),
            delay: state == .delayed ? UInt32(clamping: number("delay")) : 0,
            releases: number("releases"),
            buries: number("buries"),
            kicks: number("kicks")
        )
    }

    /// Takes all buried jobs out, one by one, and returns the order in which they came.
    func kickAllBuried(of ledger: JobLedger) throws -> [UInt64] {
        _ = try connection.ask("use \(ledger.tube)")
        var order: [UInt64] = []
        while let id = try connection.ask("peek-buried").id(after: "FOUND") {
            order.append(id)
            guard try connection.ask("kick 1").line == "KICKED 1" else { throw TestFailure("cannot kick") }
        }
        return order
    }
}

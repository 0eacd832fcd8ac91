import BeanspikeCore

extension RandomRun {
    /// Awaits every reply that the model gave and checks that there is no other.
    func compare() async throws {
        var inserted: [ReferenceQueue.SessionKey: TestReply] = [:]
        while true {
            for answer in model.takeAnswers() {
                guard let client = clients.first(where: { $0.key == answer.session }) else { continue }
                didAct(in: client.instance)
                let reply: TestReply
                if let early = inserted.removeValue(forKey: client.key) {
                    reply = early
                } else {
                    reply = try await client.session.reply()
                }
                note("  s\(client.key) → \(reply.summary)")
                guard isAlike(reply, answer.reply) else {
                    throw ConformanceFailure("s\(client.key): expected \(answer.reply), got \(reply)")
                }
            }
            guard let key = model.sessionThatPuts, let client = clients.first(where: { $0.key == key }) else { break }
            let reply = try await client.session.reply()
            guard case .inserted(let id) = reply, let tube = model.sessions.first(where: { $0.key == key })?.used else {
                throw ConformanceFailure("s\(key): expected a job to be inserted, got \(reply)")
            }
            try checkID(id, tube)
            inserted[key] = reply
            model.put(as: id)
        }
        for client in clients {
            if let stray = try client.session.poll() {
                throw ConformanceFailure("s\(client.key): expected no reply, got \(stray)")
            }
            let isBlocked = model.isBlocked(client.key)
            guard client.session.isBlocked == isBlocked else {
                throw ConformanceFailure("s\(client.key): expected \(isBlocked ? "to wait" : "not to wait")")
            }
        }
    }

    private func checkID(_ id: JobID, _ tube: TubeName) throws {
        let isFirst = usedIDs.isEmpty
        guard usedIDs.insert(id).inserted, id > lastIDs[tube] ?? 0, id < 1 << 53, id == 1 || !isFirst else {
            throw ConformanceFailure("job \(id) in \(tube) after \(lastIDs[tube] ?? 0)")
        }
        lastIDs[tube] = id
    }

    private func isAlike(_ reply: TestReply, _ expected: TestReply) -> Bool {
        var reply = capabilities.contains(.freshStart) ? reply : model.forgiving(reply, expected)
        switch (reply, expected) {
        case (.jobStatistics(var statistics), .jobStatistics(let other)):
            if !isAgeKnown { statistics.ageSeconds = other.ageSeconds }
            if !isTimed {
                forgive(&statistics.ageSeconds, other.ageSeconds)
                if other.timeLeftSeconds > 0 { forgive(&statistics.timeLeftSeconds, other.timeLeftSeconds) }
            }
            reply = .jobStatistics(statistics)
        case (.tubeStatistics(var statistics), .tubeStatistics(let other)):
            if !isTimed, other.pauseLeftSeconds > 0 { forgive(&statistics.pauseLeftSeconds, other.pauseLeftSeconds) }
            reply = .tubeStatistics(statistics)
        default:
            break
        }
        return reply == expected
    }

    /// Takes a number of seconds for what is expected where the run's own duration may be what they differ by.
    private func forgive(_ seconds: inout UInt64, _ expected: UInt64) {
        if max(seconds, expected) - min(seconds, expected) <= Self.runSecondsMax { seconds = expected }
    }

    private static let runSecondsMax: UInt64 = 900
}

import BeanspikeCore

/// Random commands of several sessions, given to a store and to the reference model; every reply must be alike.
///
/// Time moves from event to event, so that nothing depends on how late a store looks at its clock, and where the
/// order of things that happen at one instant is not told by the protocol, waits are ended first.
public final class RandomRun {
    struct Client {
        let session: TestSession
        let key: ReferenceQueue.SessionKey
    }

    let seed: UInt64
    let fixture: any StoreFixture
    let isTimed: Bool
    let canRestart: Bool
    var random: SeededGenerator
    var model: ReferenceQueue
    var ports: [TestClient] = []
    var clients: [Client] = []
    /// Whether ages can still be told: a wall clock that was set makes them a matter of when a job was written.
    var isAgeKnown = true
    private var trace: [String] = []
    private var step = 0

    private static let traceLinesMax = 250

    private init(seed: UInt64, fixture: any StoreFixture) {
        self.seed = seed
        self.fixture = fixture
        isTimed = type(of: fixture).capabilities.contains(.simulatedTime)
        canRestart = isTimed && type(of: fixture).capabilities.contains(.restart)
        random = SeededGenerator(seed: seed)
        model = ReferenceQueue(now: StoreInstant(microseconds: 1_000_000_000), wallMilliseconds: 1_700_000_000_000)
    }

    /// Runs so many steps.
    ///
    /// - Parameters:
    ///   - seed: What the steps are made of.
    ///   - steps: How many.
    ///   - fixture: A fresh fixture; it is torn down.
    /// - Throws: ``ConformanceFailure`` with the seed and the last steps, where a reply differs.
    public static func run(seed: UInt64, steps: Int, on fixture: any StoreFixture) async throws {
        let run = RandomRun(seed: seed, fixture: fixture)
        do {
            try await run.connect()
            for step in 1...steps {
                run.step = step
                try await run.takeStep()
            }
        } catch {
            await fixture.tearDown()
            throw ConformanceFailure("seed \(seed), step \(run.step): \(error)\n" + run.trace.joined(separator: "\n"))
        }
        await fixture.tearDown()
    }

    func note(_ line: @autoclosure () -> String) {
        trace.append("  \(step) [\(model.now.microseconds / 1_000) ms] \(line())")
        if trace.count > Self.traceLinesMax { trace.removeFirst() }
    }

    func connect() async throws {
        ports = [TestClient(fixture.store), TestClient(fixture.store)]
        if type(of: fixture).capabilities.contains(.sharing) {
            ports.append(TestClient(try await fixture.secondInstance()))
        }
        clients = []
        for _ in 0..<4 { openClient() }
    }

    func openClient() {
        let session = ports[Int.random(in: 0..<ports.count, using: &random)].openSession()
        clients.append(Client(session: session, key: model.openSession()))
        note("open s\(clients[clients.count - 1].key)")
    }

    // MARK: - Steps

    private func takeStep() async throws {
        if isTimed {
            let target: Int64 = random.oneIn(12) ? Int64.random(in: 0...9_000, using: &random) : 0
            try await advance(byAtLeast: target)
        }
        switch Int.random(in: 0..<1_000, using: &random) {
        case 0..<4 where canRestart: try await restart()
        case 4..<30: try await endSomeWait()
        case 30..<45: try await replaceClient()
        default: try await command()
        }
    }

    private func command() async throws {
        let isLoaded = model.sessions.contains { $0.wait != nil && !$0.queue.isEmpty }
        let blocked = clients.filter { model.isBlocked($0.key) }
        let free = clients.filter { !model.isBlocked($0.key) }
        if !isLoaded, random.oneIn(8), let client = blocked.randomElement(using: &random) {
            let count = Int.random(in: 1...3, using: &random)
            try await submit((0..<count).map { _ in request(for: client.key, isAlone: false) }, by: client)
        } else if let client = free.randomElement(using: &random) {
            let count = !isLoaded && random.oneIn(10) ? Int.random(in: 2...6, using: &random) : 1
            try await submit((0..<count).map { _ in request(for: client.key, isAlone: isLoaded) }, by: client)
        } else {
            try await endSomeWait()
        }
    }

    private func submit(_ requests: [Request], by client: Client) async throws {
        for request in requests { note("s\(client.key): \(request.summary)") }
        client.session.submit(requests)
        model.submit(requests, session: client.key)
        try await compare()
    }

    private func endSomeWait() async throws {
        guard let client = clients.filter({ model.isBlocked($0.key) }).randomElement(using: &random) else { return }
        try await endWait(client)
    }

    private func endWait(_ client: Client) async throws {
        note("s\(client.key): end wait")
        client.session.endWait()
        model.endWait(client.key)
        try await compare()
    }

    /// Ends all waits and what is asked for behind them, so that nobody can tell an order.
    private func endAllWaits() async throws {
        while let client = clients.first(where: { model.isBlocked($0.key) }) { try await endWait(client) }
    }

    private func replaceClient() async throws {
        let index = Int.random(in: 0..<clients.count, using: &random)
        let key = clients[index].key
        let isWaitedFor = model.sessions.contains { $0.wait != nil && $0.key != key && !$0.queue.isEmpty }
        if isWaitedFor, model.jobs.contains(where: { $0.holder == key }) { return }
        note("close s\(key)")
        clients[index].session.close()
        clients.remove(at: index)
        model.closeSession(key)
        try await compare()
        openClient()
    }

    // MARK: - Time

    /// Moves to an instant whose fraction of a second nothing that is to come shares.
    private func advance(byAtLeast milliseconds: Int64) async throws {
        var target = model.now.advanced(byMicroseconds: milliseconds * 1_000)
        let taken = Set(model.events.map { $0.microseconds % 1_000_000 })
        for _ in 0..<200 {
            target = target.advanced(byMicroseconds: Int64.random(in: 1...40, using: &random) * 1_000)
            if !taken.contains(target.microseconds % 1_000_000) { break }
        }
        while let next = model.nextEvent, next <= target {
            let isTie = model.events.filter { $0 == next }.count > 1
            let isPauseEnd = model.tubes.values.contains { $0.pausedUntil == next }
            let isLoaded = model.sessions.contains { $0.wait != nil && !$0.queue.isEmpty }
            if isTie || isPauseEnd && isLoaded, model.sessions.contains(where: { $0.wait != nil }) {
                try await endAllWaits()
                continue
            }
            try await advance(to: next)
        }
        try await advance(to: target)
    }

    private func advance(to instant: StoreInstant) async throws {
        let delta = instant.microseconds - model.now.microseconds
        note("advance \(delta / 1_000) ms")
        try await fixture.advance(by: .microseconds(delta))
        model.advance(to: instant)
        try await compare()
    }

    private func restart() async throws {
        let downtime = random.oneIn(2) ? 0 : Int64.random(in: 0...6_000, using: &random)
        var wallStep: Int64 = 0
        if random.oneIn(4) {
            wallStep = Int64.random(in: -20_000...20_000, using: &random)
            // A store need not write that a job came due. So one that did, by a clock that is then set back before
            // that time, may be delayed anew: neither is wrong.
            let wall = model.wallMilliseconds + downtime + wallStep
            if model.jobs.contains(where: { $0.lifecycle.state == .ready && $0.dueWallMilliseconds > wall }) {
                wallStep = 0
            }
            if wallStep != 0 { isAgeKnown = false }
        }
        note("restart after \(downtime) ms, wall clock set by \(wallStep) ms")
        try await fixture.restart(after: .milliseconds(downtime), wallStep: .milliseconds(wallStep))
        model = model.restarted(
            now: model.now.advanced(byMicroseconds: downtime * 1_000),
            wallMilliseconds: model.wallMilliseconds + downtime + wallStep
        )
        try await connect()
        guard let client = clients.first else { return }
        // All of it must be as it was.
        var requests = [Request(.storeStatistics), Request(.tubes)]
        requests += model.jobs.map { Request(.jobStatistics($0.id)) } + model.jobs.map { Request(.peek($0.id)) }
        try await submit(requests, by: client)
    }

    // MARK: - Comparing

    /// Awaits every reply that the model gave and checks that there is no other.
    private func compare() async throws {
        for answer in model.takeAnswers() {
            guard let client = clients.first(where: { $0.key == answer.session }) else { continue }
            let expected = comparable(answer.reply)
            let reply = comparable(try await client.session.reply())
            note("  s\(client.key) → \(reply.summary)")
            guard reply == expected else {
                throw ConformanceFailure("s\(client.key): expected \(expected), got \(reply)")
            }
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

    private func comparable(_ reply: TestReply) -> TestReply {
        switch reply {
        case .jobStatistics(var statistics):
            if !isAgeKnown || !isTimed { statistics.ageSeconds = 0 }
            if !isTimed { statistics.timeLeftSeconds = 0 }
            return .jobStatistics(statistics)
        case .tubeStatistics(var statistics):
            if !isTimed { statistics.pauseLeftSeconds = 0 }
            return .tubeStatistics(statistics)
        default:
            return reply
        }
    }
}

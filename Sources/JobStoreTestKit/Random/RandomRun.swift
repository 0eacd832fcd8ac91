import BeanspikeCore

/// Random commands of several sessions, given to a store and to the reference model; every reply must be alike.
///
/// Simulated time moves from event to event, so that nothing depends on how late a store looks at its clock, and where
/// the order of things that happen at one instant is not told by the protocol, waits are ended first. Where time is
/// real nothing is due before the run is over.
///
/// Ids that need not be consecutive are taken from the store's replies, and must rise within each tube. Where word
/// of a change takes its time from one instance to another, commands are given to one instance for a while and then,
/// when that time has passed, to another; nothing then depends on which of two sessions is first.
public final class RandomRun {
    struct Client {
        let session: TestSession
        let key: ReferenceQueue.SessionKey
        /// The instance of the store.
        let instance: Int
    }

    let seed: UInt64
    let fixture: any StoreFixture
    let isTimed: Bool
    let canRestart: Bool
    /// Whether every effect of a command can be seen when its reply is there.
    let isPrompt: Bool
    let capabilities: FixtureCapabilities
    var random: SeededGenerator
    var model: ReferenceQueue
    var ports: [(client: TestClient, instance: Int)] = []
    var clients: [Client] = []
    /// Far-off delays that were used, so that no two jobs are due together.
    var delays: Set<UInt32> = []
    /// The instance that commands are now given to.
    var instance = 0
    /// The instances that did something of which others may not have heard.
    var unheard: Set<Int> = []
    /// Whether something is done without a reply, or without having been replied to.
    var isUnderWay = false
    var lastIDs: [TubeName: JobID] = [:]
    var usedIDs: Set<JobID> = []
    /// Whether ages can still be told: a wall clock that was set makes them a matter of when a job was written.
    var isAgeKnown = true
    private var trace: [String] = []
    private var step = 0

    private static let traceLinesMax = 250

    private init(seed: UInt64, fixture: any StoreFixture) {
        self.seed = seed
        self.fixture = fixture
        capabilities = type(of: fixture).capabilities
        isTimed = capabilities.contains(.simulatedTime)
        canRestart = capabilities.contains(.restart)
        isPrompt = type(of: fixture).lateness == .zero
        random = SeededGenerator(seed: seed)
        model = ReferenceQueue(now: StoreInstant(microseconds: 1_000_000_000), wallMilliseconds: 1_700_000_000_000)
        model.takesIDs = !capabilities.contains(.consecutiveIDs)
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
            try await run.settle()
            try await run.compare()
        } catch {
            await fixture.tearDown()
            throw ConformanceFailure("seed \(seed), step \(run.step): \(error)\n" + run.trace.joined(separator: "\n"))
        }
        await fixture.tearDown()
    }

    /// Runs so many steps, and again where they failed in real time while the machine was too busy to keep it.
    ///
    /// - Parameters:
    ///   - seed: What the steps are made of.
    ///   - steps: How many.
    ///   - makeFixture: Makes a fresh fixture for each attempt.
    /// - Throws: ``ConformanceFailure`` as of ``run(seed:steps:on:)``.
    public static func run(
        seed: UInt64,
        steps: Int,
        onFresh makeFixture: () async throws -> any StoreFixture
    ) async throws {
        try await Conformance.untilConclusive(makeFixture) { try await run(seed: seed, steps: steps, on: $0) }
    }

    func note(_ line: @autoclosure () -> String) {
        trace.append("  \(step) [\(model.now.microseconds / 1_000) ms] \(line())")
        if trace.count > Self.traceLinesMax { trace.removeFirst() }
    }

    func connect() async throws {
        ports = [(TestClient(fixture.store), 0), (TestClient(fixture.store), 0)]
        if capabilities.contains(.sharing) {
            ports.append((TestClient(try await fixture.secondInstance()), 1))
        }
        clients = []
        for _ in 0..<4 { openClient() }
    }

    func openClient() {
        let port = ports[Int.random(in: 0..<ports.count, using: &random)]
        let client = Client(session: port.client.openSession(), key: model.openSession(), instance: port.instance)
        clients.append(client)
        didAct(in: port.instance)
        note("open s\(client.key) in \(port.instance)")
    }

    // MARK: - Steps

    private func takeStep() async throws {
        if isTimed {
            let target: Int64 = random.oneIn(12) ? Int64.random(in: 0...9_000, using: &random) : 0
            try await advance(byAtLeast: target)
        }
        switch Int.random(in: 0..<1_000, using: &random) {
        case 0..<4 where canRestart && (isTimed || random.oneIn(2)): try await restart()
        case 4..<30: try await endSomeWait()
        case 30..<45 where isPrompt || random.oneIn(3): try await replaceClient()
        default: try await (isPrompt ? command() : commandFromAfar())
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

    func submit(_ requests: [Request], by client: Client) async throws {
        if isUnderWay, requests.contains(where: { $0.isOverview || $0.mayWait }) { try await settle() }
        try await willAct(in: client.instance)
        for request in requests { note("s\(client.key): \(request.summary)") }
        client.session.submit(requests)
        model.submit(requests, session: client.key)
        try await compare()
        isUnderWay = isUnderWay || model.isBlocked(client.key)
    }

    func endSomeWait() async throws {
        guard let client = clients.filter({ model.isBlocked($0.key) }).randomElement(using: &random) else { return }
        try await endWait(client)
    }

    private func endWait(_ client: Client) async throws {
        try await willAct(in: client.instance)
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
        let isWaitedFor = model.sessions.contains {
            $0.wait != nil && $0.key != key && (!isPrompt || !$0.queue.isEmpty)
        }
        if isWaitedFor, model.jobs.contains(where: { $0.holder == key }) { return }
        try await willAct(in: clients[index].instance)
        note("close s\(key)")
        clients[index].session.close()
        clients.remove(at: index)
        model.closeSession(key)
        try await settle()
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
        if !capabilities.contains(.freshStart) { try await endAllPauses() }
        try await settle()
        let downtime = !isTimed || random.oneIn(2) ? 0 : Int64.random(in: 0...6_000, using: &random)
        var wallStep: Int64 = 0
        if capabilities.contains(.wallClockSteps), random.oneIn(4) {
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
        unheard = []
        isUnderWay = false
        try await connect()
        try await settle()
        guard let client = clients.first else { return }
        // All of it must be as it was.
        var requests = [Request(.storeStatistics), Request(.tubes)]
        requests += model.jobs.map { Request(.jobStatistics($0.id)) } + model.jobs.map { Request(.peek($0.id)) }
        try await submit(requests, by: client)
    }

    /// Ends what a restart does not end in every store.
    private func endAllPauses() async throws {
        try await endAllWaits()
        guard let client = clients.first else { return }
        for (name, tube) in model.tubes.sorted(by: { $0.key < $1.key }) where tube.pausedUntil != nil {
            try await submit([Request(.pause(name, seconds: 0))], by: client)
        }
    }
}

import AerospikeStore
import BeanspikeCore
import JobStoreTestKit

/// One client of a faulty queue: what it asks for follows from a seed, and all that it is told goes into the ledger.
struct FaultSession {
    private let run: FaultRun
    private let client: TestClient
    private let instance: Int
    private var random: SeededGenerator
    private var session: TestSession
    private var owner: JobLedger.Owner
    private var held: [(number: Int, id: JobID)] = []
    private var isOver = false

    private var ledger: JobLedger { run.ledger }

    /// The process behind the session is gone.
    private struct Gone: Error {}

    init(_ run: FaultRun, _ client: TestClient, instance: Int, number: Int) {
        self.run = run
        self.client = client
        self.instance = instance
        random = SeededGenerator(seed: run.seed &* 1_000 &+ UInt64(instance * 100 + number))
        session = client.openSession()
        owner = run.ledger.newOwner()
    }

    mutating func run() async {
        do {
            try await begin()
            for _ in 0..<run.plan.callsPerSession {
                if run.plan.pauseMax > .zero {
                    try await Task.sleep(for: run.plan.pauseMax * Double.random(in: 0...1, using: &random))
                }
                try await step()
            }
            // What is still held comes back by itself.
            ledger.ends(owner)
            session.close()
        } catch is Gone {
            return
        } catch {
            ledger.violate("owner \(owner) of instance \(instance): \(error)")
        }
    }

    private mutating func begin() async throws {
        for tube in 0..<run.plan.tubes where tube == 0 || Bool.random(using: &random) {
            _ = try await ask(Request(.watch(FaultRun.tube(tube))))
        }
    }

    private mutating func step() async throws {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<26: try await put()
        case 26..<52: try await reserve()
        case 52..<80: try await settle()
        case 80..<84: try await touch()
        case 84..<87: try await kick()
        case 87..<90: try await kickJob()
        case 90..<93: try await deleteAnother()
        case 93..<96: try await reserveJob()
        case 96..<98: try await peek()
        default: try await closeAndOpen()
        }
    }

    /// Asks, and waits for the answer as long as the process lives.
    private func ask(_ request: Request) async throws -> TestReply {
        session.submit([request])
        let end = ContinuousClock.now + run.plan.replyLimit
        while true {
            if run.isAbandoned(instance) { throw Gone() }
            if let reply = try session.poll() { return reply }
            guard ContinuousClock.now < end else {
                let summary = await run.store(instance).summary()
                throw ConformanceFailure("no reply to \(request.command) within \(run.plan.replyLimit): \(summary)")
            }
            try await Task.sleep(for: .microseconds(500))
        }
    }

    private func unexpected(_ reply: TestReply, to what: String) {
        if case .failed(let error) = reply {
            ledger.failed(what, error)
        } else {
            ledger.violate("\(what) was answered with \(reply)")
        }
    }

    // MARK: - Commands

    private mutating func put() async throws {
        let tube = Int.random(in: 0..<run.plan.tubes, using: &random)
        _ = try await ask(Request(.use(FaultRun.tube(tube))))
        let number = ledger.beginPut(tube: tube)
        let request = Request.put(
            JobLedger.body(number),
            priority: UInt32.random(in: 0..<4, using: &random),
            delay: random.oneIn(10) ? 1 : 0,
            ttr: [0, 1, 2, 60, 60].randomElement(using: &random) ?? 60
        )
        switch try await ask(request) {
        case .inserted(let id): ledger.putDone(number, id)
        case .failed(let error): ledger.putFailed(number, error)
        case let other: unexpected(other, to: "a put")
        }
    }

    private mutating func reserve() async throws {
        let wait: ReserveWait = random.oneIn(3) ? .microseconds(Int64.random(in: 0..<50_000, using: &random)) : .none
        try await receive(.reserve(wait))
    }

    private mutating func reserveJob() async throws {
        guard let job = ledger.someJob(notOf: owner, using: &random) else { return }
        try await receive(.reserveJob(job.id))
    }

    private mutating func receive(_ command: Command) async throws {
        let asked = ContinuousClock.now
        let process = ledger.processNumber(instance)
        switch try await ask(Request(command)) {
        case .reserved(let job):
            guard
                let number = ledger.delivered(job, to: owner, of: instance, asked: asked, process: process)
            else { return }
            // It may have had it before, until the job's time was over.
            held.removeAll { $0.id == job.id }
            held.append((number, job.id))
        case .timedOut, .deadlineSoon, .notFound: ledger.count("nothing to reserve")
        case let other: unexpected(other, to: "a reserve")
        }
    }

    private mutating func settle() async throws {
        guard let index = held.indices.randomElement(using: &random) else { return try await reserve() }
        let (number, id) = held.remove(at: index)
        let priority = UInt32.random(in: 0..<4, using: &random)
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<6: try await delete(number, id)
        case 6..<9:
            let delay: UInt32 = random.oneIn(6) ? 1 : 0
            let command = Command.release(id, priority: priority, delaySeconds: delay)
            try await give(number, id, command)
        default: try await give(number, id, .bury(id, priority: priority))
        }
    }

    private mutating func delete(_ number: Int, _ id: JobID) async throws {
        ledger.givesUp(number, owner)
        ledger.beginDelete(number)
        switch try await ask(Request(.delete(id))) {
        case .deleted: ledger.deleteAnswered(number, isDeleted: true)
        case .notFound:
            ledger.deleteAnswered(number, isDeleted: false)
            ledger.wasTold(number, owner, notFoundFor: "delete")
        case .failed(let error):
            ledger.failed("delete", error)
            ledger.deleteAnswered(number, isDeleted: error.inDoubt ? nil : false)
            if !error.inDoubt { keep(number, id) }
        case let other: unexpected(other, to: "a delete")
        }
    }

    private mutating func give(_ number: Int, _ id: JobID, _ command: Command) async throws {
        ledger.givesUp(number, owner)
        switch try await ask(Request(command)) {
        case .released, .buried: ledger.gaveBack(number, owner)
        case .notFound: ledger.wasTold(number, owner, notFoundFor: "\(command)")
        case .failed(let error):
            ledger.failed("release or bury", error)
            if !error.inDoubt { keep(number, id) }
        case let other: unexpected(other, to: "\(command)")
        }
    }

    private mutating func keep(_ number: Int, _ id: JobID) {
        ledger.keeps(number, owner)
        held.append((number, id))
    }

    private mutating func touch() async throws {
        guard let index = held.indices.randomElement(using: &random) else { return }
        let (number, id) = held[index]
        let asked = ContinuousClock.now
        switch try await ask(Request(.touch(id))) {
        case .touched: ledger.touched(number, owner, asked: asked)
        case .notFound:
            held.remove(at: index)
            ledger.wasTold(number, owner, notFoundFor: "touch")
        case let other: unexpected(other, to: "a touch")
        }
    }

    private mutating func kick() async throws {
        let tube = Int.random(in: 0..<run.plan.tubes, using: &random)
        _ = try await ask(Request(.use(FaultRun.tube(tube))))
        let reply = try await ask(Request(.kick(UInt64.random(in: 1..<6, using: &random))))
        guard case .kicked = reply else { return unexpected(reply, to: "a kick") }
    }

    private mutating func kickJob() async throws {
        guard let job = ledger.someJob(notOf: owner, using: &random) else { return }
        switch try await ask(Request(.kickJob(job.id))) {
        case .kickedJob, .notFound: break
        case let other: unexpected(other, to: "a kick of a job")
        }
    }

    private mutating func deleteAnother() async throws {
        guard let job = ledger.someJob(notOf: owner, using: &random) else { return }
        ledger.beginDelete(job.number)
        switch try await ask(Request(.delete(job.id))) {
        case .deleted: ledger.deleteAnswered(job.number, isDeleted: true)
        case .notFound: ledger.deleteAnswered(job.number, isDeleted: false)
        case .failed(let error):
            ledger.failed("delete", error)
            ledger.deleteAnswered(job.number, isDeleted: error.inDoubt ? nil : false)
        case let other: unexpected(other, to: "a delete")
        }
    }

    private mutating func peek() async throws {
        let command: Command = random.oneIn(2) ? .peekNext(.ready) : .tubeStatistics(FaultRun.tube(0))
        switch try await ask(Request(command)) {
        case .found, .notFound, .tubeStatistics: break
        case let other: unexpected(other, to: "a peek")
        }
    }

    private mutating func closeAndOpen() async throws {
        ledger.ends(owner)
        session.close()
        held = []
        session = client.openSession()
        owner = ledger.newOwner()
        try await begin()
    }
}

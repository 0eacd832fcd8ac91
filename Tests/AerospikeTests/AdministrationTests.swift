import Aerospike
import Synchronization
import Testing

/// A clock on which every sleep is over at once, and has taken its time.
private final class SleeplessClock: Clock {
    typealias Instant = ContinuousClock.Instant

    private let current = Mutex(ContinuousClock.now)

    var now: Instant { current.withLock { $0 } }
    var minimumResolution: Duration { .zero }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        current.withLock { $0 = max($0, deadline) }
    }
}

/// A cluster of nodes that answer from a script, the last answer again and again.
private final class ScriptedNodes: Sendable {
    private struct State {
        var answers: [String: [String]]
        var asked: [String] = []
    }

    private let states: Mutex<[State]>
    private let nodeCount: Int
    private let version: ServerVersion

    init(_ answers: [String: [String]]..., version: ServerVersion = ServerVersion(8, 1)) {
        self.version = version
        nodeCount = answers.count
        states = Mutex(answers.map { State(answers: $0) })
    }

    /// What each node was asked.
    var asked: [[String]] { states.withLock { $0.map(\.asked) } }

    func administration(_ clock: SleeplessClock = SleeplessClock()) -> Administration<SleeplessClock> {
        Administration(clock: clock) {
            (0..<self.nodeCount).map { index in
                .init(name: "n\(index)", version: self.version) { names throws(AerospikeError) in
                    try self.answer(index, names)
                }
            }
        }
    }

    private func answer(_ index: Int, _ names: [String]) throws(AerospikeError) -> [String: String] {
        var values: [String: String] = [:]
        for name in names {
            let answer = states.withLock { states -> String? in
                states[index].asked.append(name)
                guard let answers = states[index].answers[name] else { return nil }
                if answers.count > 1 {
                    states[index].answers[name] = Array(answers.dropFirst())
                }
                return answers.first
            }
            guard let answer, answer != "gone" else { throw AerospikeError(.connection) }
            values[name] = answer
        }
        return values
    }
}

@Suite struct AdministrationTests {
    private let stat = "sindex-stat:namespace=test;indexname=i"

    private func failure(_ body: () async throws -> some Any) async throws -> AerospikeError {
        try await #require(throws: AerospikeError.self) { _ = try await body() }
    }

    @Test func anIndexIsReadyWhenEveryNodeSaysSo() async throws {
        let nodes = ScriptedNodes(
            [stat: ["load_pct=100"]],
            [stat: ["ERROR:201:no index", "gone", "load_pct=3", "load_pct=100"]]
        )
        try await nodes.administration().waitUntilReady(index: "i", namespace: "test", timeout: .seconds(5))
        #expect(nodes.asked.map(\.count) == [4, 4])
    }

    @Test func waitingEndsWithItsTime() async throws {
        let clock = SleeplessClock()
        let begin = clock.now
        let nodes = ScriptedNodes([stat: ["load_pct=3"]])
        let error = try await failure {
            try await nodes.administration(clock).waitUntilReady(index: "i", namespace: "test", timeout: .seconds(5))
        }
        #expect(error.code == .timeout)
        #expect(clock.now - begin == .seconds(5))
        // At first often, later twice a second.
        #expect((10...25).contains(nodes.asked[0].count))
        let gone = ScriptedNodes([stat: ["gone"]])
        let unreachable = try await failure {
            try await gone.administration().waitUntilReady(index: "i", namespace: "test", timeout: .seconds(5))
        }
        #expect(unreachable.code == .timeout)
        #expect((unreachable.cause as? AerospikeError)?.node == "n0")
    }

    @Test func waitingEndsWithAnErrorOrACancellation() async throws {
        let nodes = ScriptedNodes([stat: ["ERROR:20:no namespace"]])
        let error = try await failure {
            try await nodes.administration().waitUntilReady(index: "i", namespace: "test", timeout: .seconds(5))
        }
        #expect(error.code == .namespaceNotFound)
        let slow = ScriptedNodes([stat: ["load_pct=3"]])
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await failure {
                try await slow.administration().waitUntilReady(index: "i", namespace: "test", timeout: .seconds(5))
            }
        }
        #expect(try await task.value.code == .cancelled)
    }

    @Test func oneNodeThatCanBeReachedIsEnough() async throws {
        let command = "sindex-create:namespace=test;indexname=i;bin=b;type=STRING"
        let nodes = ScriptedNodes([command: ["gone"]], [command: ["ok"]], [command: ["gone"]])
        let index = IndexDefinition("i", namespace: "test", bin: "b", type: .string)
        for _ in 0..<10 {
            try await nodes.administration().create(index)
        }
        #expect(nodes.asked[1].count == 10)
        let none = ScriptedNodes([command: ["gone"]])
        #expect(try await failure { try await none.administration().create(index) }.code == .connection)
        let refusing = ScriptedNodes([command: ["ERROR:200:exists"]], [command: ["ERROR:200:exists"]])
        #expect(try await failure { try await refusing.administration().create(index) }.code == .indexFound)
        #expect(refusing.asked.map(\.count).reduce(0, +) == 1)
        #expect(try await failure { try await ScriptedNodes().administration().create(index) }.code == .invalidNode)
    }

    @Test func anIndexThatIsNotThereIsDropped() async throws {
        let nodes = ScriptedNodes(
            ["sindex-delete:ns=test;indexname=i": ["ERROR:201:no index"]],
            version: ServerVersion(7)
        )
        try await nodes.administration().dropIndex("i", namespace: "test")
        #expect(nodes.asked == [["sindex-delete:ns=test;indexname=i"]])
    }

    @Test func truncationNamesItsSetAndTime() async throws {
        let nodes = ScriptedNodes([
            "truncate:namespace=test;set=s;lut=17": ["ok"], "truncate-namespace:namespace=test": ["ok"],
            "truncate:namespace=test;set=late": ["ERROR:4:would truncate in the future"],
        ])
        let administration = nodes.administration()
        try await administration.truncate(namespace: "test", set: "s", beforeUnixNanoseconds: 17)
        try await administration.truncate(namespace: "test", set: "", beforeUnixNanoseconds: nil)
        func truncate(_ namespace: String, _ set: String) async throws -> ResultCode {
            try await failure {
                try await administration.truncate(namespace: namespace, set: set, beforeUnixNanoseconds: nil)
            }.code
        }
        #expect(try await truncate("test", "late") == .invalidRequest)
        #expect(try await truncate("test", "a;b") == .invalidArgument)
        #expect(try await truncate("", "s") == .invalidArgument)
    }

    @Test func aModuleIsEverywhereWhenAllHaveTheSame() async throws {
        func list(_ hash: String) -> String { "filename=m.lua,hash=\(hash),type=LUA;" }
        let (get, content) = ("udf-get:filename=m.lua", "type=LUA;content=YWJjZA==;")
        let nodes = ScriptedNodes(
            ["udf-list": [list("2")], get: [content]],
            // It is listed before it can be run.
            ["udf-list": ["", list("1"), list("2")], get: ["error=not_found", content]]
        )
        try await nodes.administration().waitUntilEverywhere(module: "m.lua", timeout: .seconds(5))
        #expect(nodes.asked.map(\.count) == [8, 6])
        let leaving = ScriptedNodes(["udf-list": [list("2"), ""]], ["udf-list": [list("2"), ""]])
        try await leaving.administration().waitUntilEverywhere(module: "m.lua", isThere: false, timeout: .seconds(5))
        #expect(leaving.asked.map(\.count) == [3, 2])
    }

    @Test func aQueryIsDoneWhenEveryNodeIs() async throws {
        let show = "query-show:id=7"
        let nodes = ScriptedNodes(
            [show: ["status=active(ok):job-progress=50.00", "status=done(ok)"]],
            [show: ["ERROR:2:job not found"]]
        )
        let first = try await nodes.administration().progress(ofTask: 7)
        #expect(first["n0"]?.percent == 50 && first["n1"]?.isDone == true)
        try await nodes.administration().waitUntilDone(task: 7, timeout: .seconds(5))
    }
}

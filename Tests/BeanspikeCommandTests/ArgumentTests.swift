import ArgumentParser
import BeanspikeCore
import Testing

@testable import BeanspikeCommand

@Suite struct ArgumentTests {
    @Test(arguments: [
        ("127.0.0.1:11300", ServerAddress.tcp(host: "127.0.0.1", port: 11300)),
        ("queue", .tcp(host: "queue", port: 11300)),
        (":4000", .tcp(host: "127.0.0.1", port: 4000)),
        ("[::1]:4000", .tcp(host: "::1", port: 4000)),
        ("[::1]", .tcp(host: "::1", port: 11300)),
        ("::1", .tcp(host: "::1", port: 11300)),
        ("unix:/run/beanspike.sock", .unix(path: "/run/beanspike.sock")),
    ])
    func readsAddresses(text: String, address: ServerAddress) {
        #expect(ServerAddress(text) == address)
    }

    @Test(arguments: ["", "a:0", "a:65536", "a:x", "a:", "[::1", "[]:1", "[::1]x", "unix:", "a b:1", "http://a:1"])
    func refusesWhatIsNoAddress(text: String) {
        #expect(ServerAddress(text) == nil)
    }

    @Test func refusesAUnixPathThatDoesNotFit() {
        let path = String(repeating: "a", count: ServerAddress.unixPathBytesMax)
        #expect(ServerAddress("unix:" + path) == .unix(path: path))
        #expect(ServerAddress("unix:a" + path) == nil)
    }

    @Test(arguments: [
        ["--server", "a:1", "put", "x"], ["put", "--server", "a:1", "x"], ["put", "x", "--server", "a:1"],
    ])
    func theServerMayStandBeforeTheCommandOrAfterIt(arguments: [String]) throws {
        let put = try #require(try BeanspikeTool.parseAsRoot(arguments) as? PutCommand)
        #expect(try put.options.address() == .tcp(host: "a", port: 1))
        #expect(put.body == "x")
    }

    @Test func putReadsItsOptions() throws {
        let line = ["put", "-t", "mails", "-p", "0", "-d", "4294967295", "--ttr", "1", "--", "-body"]
        let put = try #require(try BeanspikeTool.parseAsRoot(line) as? PutCommand)
        #expect(put.tube.name.description == "mails")
        #expect(put.priority == 0)
        #expect(put.delay == 4_294_967_295)
        #expect(put.ttr == 1)
        #expect(put.body == "-body")
    }

    @Test func workTakesItsCommandAfterTheTerminator() throws {
        let line = ["work", "mails", "--concurrency", "2", "--", "sh", "-c", "--attempts"]
        let work = try #require(try BeanspikeTool.parseAsRoot(line) as? WorkCommand)
        #expect(work.command == ["sh", "-c", "--attempts"])
        #expect(work.concurrency == 2)
        #expect(work.attempts == 10)
    }

    @Test(arguments: [
        ["frobnicate"], ["put", "a", "--file", "b"], ["put", "a", "--lines"], ["put", "--priority", "-1", "a"],
        ["put", "--priority", "4294967296", "a"], ["put", "--tube", "a b", "c"], ["put", "--tube", "", "c"],
        ["reserve", "--delete", "--bury"], ["reserve", "--count", "0"], ["reserve", "--hold", "--count", "2"],
        ["peek"], ["peek", "1", "--ready"], ["peek", "--ready", "--buried"], ["kick", "1", "--job", "2"],
        ["stats", "--tube", "a", "--job", "1"], ["delete"], ["delete", "x"], ["pause", "a"], ["work", "a"],
        ["work", "a", "--concurrency", "0", "--", "true"], ["watch", "--interval", "0"],
        ["export", "--from", "0"], ["export", "--from", "2", "--to", "1"], ["export", "--state", "x"],
        ["put", "--server", "a:b", "x"], ["put", "--server", "a", "--server", "b", "x"],
        ["--store", "redis:", "put", "x"], ["bench", "--store", "memory:"],
        ["--store", "memory:", "--server", "a:1", "put", "x"],
        ["bench", "--in-flight", "0"], ["bench", "--in-flight", "1,,2"], ["bench", "--connections", "1001"],
        ["bench", "--workload", "x"], ["bench", "--rounds", "0"], ["bench", "--seconds", "0"],
        ["bench", "--versus", "=a:1"], ["bench", "--pid", "1", "--versus", "a:1"],
        ["bench", "--body-bytes", "1048576", "--connections", "1000"],
    ])
    func misuseExitsWith2(arguments: [String]) {
        #expect(BeanspikeTool.run(arguments) == 2)
    }

    @Test func aServerThatIsNotThereExitsWith1() {
        // Port 1 of this machine: nothing listens there that is not root's.
        #expect(BeanspikeTool.run(["--server", "127.0.0.1:1", "stats"]) == 1)
        #expect(BeanspikeTool.run(["--server", "unix:/nonexistent/socket", "stats"]) == 1)
    }

    @Test(arguments: [
        "put", "reserve", "delete", "release", "bury", "kick", "touch", "peek", "stats", "tubes", "pause", "watch",
        "work", "bench", "import", "export",
    ])
    func everyCommandHasHelpWithAnExample(command: String) throws {
        let type = try #require(
            BeanspikeTool.configuration.subcommands.first { $0.configuration.commandName == command }
        )
        #expect(!type.configuration.abstract.isEmpty)
        #expect(type.configuration.discussion.contains("Example"))
        #expect(type.configuration.discussion.contains("beanspike \(command)"))
        for line in type.configuration.discussion.split(separator: "\n") {
            #expect(line.count <= 80, "too long for a terminal: \(line)")
        }
    }

    @Test func benchNamesItsServers() throws {
        let line = ["bench", "--server", "ours=:1", "--versus", "unix:/a=b", "--versus", "c:3", "--in-flight", "1,32"]
        let bench = try #require(try BeanspikeTool.parseAsRoot(line) as? BenchCommand)
        let plan = try bench.benchPlan()
        #expect(plan.servers.map(\.name) == ["ours", "B", "C"])
        #expect(
            plan.servers.map(\.address) == [
                .tcp(host: "127.0.0.1", port: 1), .unix(path: "/a=b"), .tcp(host: "c", port: 3),
            ]
        )
        #expect(plan.inFlights == [1, 32])
        #expect(plan.workloads == [.put, .reserveDelete])
    }

    @Test func completionsCanBeGenerated() {
        for shell in [CompletionShell.bash, .zsh, .fish] {
            #expect(BeanspikeTool.completionScript(for: shell).contains("beanspike"))
        }
    }
}

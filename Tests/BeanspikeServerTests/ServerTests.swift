import BeanspikeCore
import BeanspikeServer
import EmbeddedStore
import Logging
import NIOCore
import NIOPosix
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// A server over a store in memory, on a free port of this machine.
private func withServer(
    _ options: ServerOptions = ServerOptions(),
    address: ListenAddress = .tcp(host: "127.0.0.1", port: 0),
    threads: Int = 1,
    _ body: @Sendable (BeanspikeServer, @Sendable () async throws -> TestClient) async throws -> Void
) async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
    let clients = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let store = try EmbeddedStore.inMemory()
    let listener = try await ServerListener.bind(address, group: group)
    let (ready, isReady) = AsyncStream<ListenAddress>.makeStream()
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let server = BeanspikeServer(listener: listener, store: store, options: options, logger: logger) {
        isReady.yield($0)
    }
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await server.run() }
        var iterator = ready.makeAsyncIterator()
        let bound = try #require(await iterator.next())
        let target =
            switch bound {
            case .tcp(let host, let port): try SocketAddress(ipAddress: host, port: port)
            case .unix(let path): try SocketAddress(unixDomainSocketPath: path)
            }
        try await body(server) { try await TestClient.connect(to: target, group: clients) }
        tasks.cancelAll()
        try await tasks.waitForAll()
    }
    try await store.close()
    try await clients.shutdownGracefully()
    try await group.shutdownGracefully()
}

@Suite("A server on a real port", .timeLimit(.minutes(1)))
struct ServerTests {
    @Test("The way of a job, and the errors on it")
    func transcript() async throws {
        try await withServer { _, connect in
            let client = try await connect()
            try await client.send(
                "use a\r\nwatch a\r\nignore default\r\nput 5 0 60 5\r\nhello\r\nput 1 0 60 0\r\n\r\npeek-ready\r\n"
                    + "reserve\r\nreserve\r\nrelease 2 9 0\r\ndelete 1\r\nbury 2 1\r\nreserve-job 2\r\nbury 2 1\r\n"
                    + "kick 9\r\ntouch 2\r\nput 0 0 1 70000\r\n\(String(repeating: "x", count: 70_002))"
                    + "put 0 0 1 1\r\nxyz" + "ignore a\r\nlist-tubes-watched\r\ndelete 2\r\nwhat\r\nquit\r\n"
            )
            let text = await client.readToEnd()
            #expect(
                text == "USING a\r\nWATCHING 2\r\nWATCHING 1\r\nINSERTED 1\r\nINSERTED 2\r\nFOUND 2 0\r\n\r\n"
                    + "RESERVED 2 0\r\n\r\nRESERVED 1 5\r\nhello\r\nRELEASED\r\nDELETED\r\nNOT_FOUND\r\n"
                    + "RESERVED 2 0\r\n\r\nBURIED\r\nKICKED 1\r\nNOT_FOUND\r\nJOB_TOO_BIG\r\nEXPECTED_CRLF\r\n"
                    + "NOT_IGNORED\r\nOK 8\r\n---\n- a\n\r\nDELETED\r\nUNKNOWN_COMMAND\r\n"
            )
        }
    }

    @Test("Compressed bodies are seen as they were sent")
    func compressed() async throws {
        try await withServer(ServerOptions(compressesBodies: true)) { _, connect in
            let client = try await connect()
            let body = String(repeating: "x", count: 30_000)
            try await client.send("put 0 0 60 30000\r\n\(body)\r\npeek 1\r\nreserve\r\nput 0 0 9 2\r\nhi\r\nquit\r\n")
            let text = await client.readToEnd()
            #expect(text == "INSERTED 1\r\nFOUND 1 30000\r\n\(body)\r\nRESERVED 1 30000\r\n\(body)\r\nINSERTED 2\r\n")
        }
    }

    @Test("A waiting consumer gets the job that another connection puts", arguments: [1, 3])
    func waiting(threads: Int) async throws {
        try await withServer(threads: threads) { _, connect in
            let consumer = try await connect()
            let producer = try await connect()
            try await consumer.send("watch t\r\nreserve\r\n")
            #expect(await consumer.read(until: "\r\n") == "WATCHING 2\r\n")
            try await producer.send("use t\r\nput 0 0 60 2\r\nhi\r\n")
            #expect(await consumer.read(until: "hi\r\n") == "RESERVED 1 2\r\nhi\r\n")
            #expect(await producer.read(until: "INSERTED 1\r\n") == "USING t\r\nINSERTED 1\r\n")
            // Its jobs are free as soon as it is gone.
            try await producer.send("watch t\r\nreserve\r\n")
            #expect(await producer.read(until: "\r\n") == "WATCHING 2\r\n")
            try await consumer.close()
            #expect(await producer.read(until: "hi\r\n") == "RESERVED 1 2\r\nhi\r\n")
        }
    }

    @Test("A half-closed client gets TIMED_OUT, its other replies, and the end")
    func halfClosed() async throws {
        try await withServer { _, connect in
            let client = try await connect()
            try await client.send("reserve\r\nreserve\r\nput 0 0 1 1\r\nx\r\nreserve\r\n")
            try await client.closeOutput()
            #expect(await client.readToEnd() == "TIMED_OUT\r\nTIMED_OUT\r\nINSERTED 1\r\nRESERVED 1 1\r\nx\r\n")
        }
    }

    @Test("Draining turns jobs away and serves the rest")
    func draining() async throws {
        try await withServer { server, connect in
            let client = try await connect()
            try await client.send("put 0 0 60 1\r\na\r\n")
            #expect(await client.read(until: "\r\n") == "INSERTED 1\r\n")
            server.isDraining = true
            try await client.send("put 0 0 60 1\r\nb\r\ndelete 1\r\n")
            #expect(await client.read(until: "DELETED\r\n") == "DRAINING\r\nDELETED\r\n")
            server.isDraining = false
            try await client.send("put 0 0 60 1\r\nc\r\n")
            #expect(await client.read(until: "\r\n") == "INSERTED 2\r\n")
        }
    }

    @Test("One connection too many is closed at once, and room comes back")
    func cap() async throws {
        try await withServer(ServerOptions(connectionsMax: 1)) { _, connect in
            let first = try await connect()
            try await first.send("list-tube-used\r\n")
            #expect(await first.read(until: "\r\n") == "USING default\r\n")
            let second = try await connect()
            #expect(await second.readToEnd() == "")
            try await first.send("quit\r\n")
            #expect(await first.readToEnd() == "")
            // The server takes the first off its counts when its channel is gone; until then it refuses.
            var served = ""
            while served.isEmpty {
                let third = try await connect()
                try? await third.send("list-tube-used\r\n")
                served = await third.read(until: "\r\n")
            }
            #expect(served == "USING default\r\n")
        }
    }

    @Test("A client that asks for megabytes and reads none of it costs a bounded amount, and gets it all in the end")
    func slowReader() async throws {
        try await withServer { _, connect in
            let slow = try await connect()
            let other = try await connect()
            let body = String(repeating: "b", count: 60_000)
            try await slow.send("put 0 0 60 60000\r\n\(body)\r\n")
            #expect(await slow.read(until: "\r\n") == "INSERTED 1\r\n")
            let count = 400
            try await slow.send(String(repeating: "peek 1\r\n", count: count) + "quit\r\n")
            try await other.send("list-tube-used\r\n")
            #expect(await other.read(until: "\r\n") == "USING default\r\n")
            let text = await slow.readToEnd()
            #expect(text.utf8.count == count * ("FOUND 1 60000\r\n".utf8.count + 60_002))
        }
    }

    @Test("A Unix socket serves, replaces what a dead server left, and goes with the server")
    func unixSocket() async throws {
        let path = "/tmp/beanspike-test-\(getpid())-\(UInt32.random(in: 0 ... .max)).sock"
        for _ in 0..<2 {
            try await withServer(address: .unix(path: path)) { _, connect in
                let client = try await connect()
                try await client.send("list-tube-used\r\nquit\r\n")
                #expect(await client.readToEnd() == "USING default\r\n")
            }
            #expect(access(path, F_OK) != 0)
            // What a server leaves that was killed.
            let left = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
            let size = socklen_t(MemoryLayout<sockaddr_un>.size)
            let bound = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.bind(left, $0, size) }
            }
            #expect(bound == 0)
            Glibc.close(left)
        }
        unlink(path)
    }

    @Test("A file that is no socket is not replaced, and a port that is taken is refused")
    func cannotListen() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let error = try await #require(throws: BeanspikeServerError.self) {
            try await ServerListener.bind(.unix(path: "/dev/null"), group: group)
        }
        #expect(error.code == .pathTaken)
        try await withServer { _, _ in }
        let first = try await ServerListener.bind(.tcp(host: "127.0.0.1", port: 0), group: group)
        let second = try await #require(throws: BeanspikeServerError.self) {
            try await ServerListener.bind(first.address, group: group)
        }
        #expect(second.code == .cannotListen)
    }
}

import Foundation
import Testing

/// Slow, silent and hostile peers cost a bounded amount and hurt nobody else.
@Suite(.enabled(if: ServerProgram.isOurs, "beanstalkd promises less"))
struct HostilePeerTests {
    /// More than a server in a debug build grows by for a few connections; less than what is thrown at it.
    private static let growthBytesMax = 48_000_000

    @Test func onesThatNeverReadAreHeldBack() async throws {
        try await onThread {
            let server = try ServerProcess()
            let client = try server.connect()
            let id = try client.put(String(repeating: "x", count: 60_000))
            let before = try server.residentBytes
            // The server must stop reading, not gather replies. What it has not read fills the kernel's buffers, a few
            // megabytes; then a peer can send no more.
            let request = (0..<32_000).flatMap { _ in Array("peek \(id)\r\n".utf8) }
            let deaf = try (0..<4).map { _ in try RawConnection(port: server.port, receiveBufferBytes: 4_096) }
            for peer in deaf {
                var isHeldBack = false
                for _ in 0..<160 where !isHeldBack {
                    isHeldBack = try peer.sendSome(request, seconds: 0.5) < request.count
                    try Self.expectPrompt(client)
                }
                #expect(isHeldBack, "the server took 40 MB of commands whose replies nobody reads")
            }
            // Half a million replies of 60 kB were asked for by each: 30 GB. Each may have some megabytes waiting.
            let growth = try server.residentBytes - before
            #expect(growth < deaf.count * 32_000_000)
            // One that starts to read gets what it asked for.
            for _ in 0..<50 { #expect(try deaf[0].readReply().id(after: "FOUND") == id) }
            try Self.expectPrompt(client)
        }
    }

    @Test func manyCommandsBehindAWaitAreHeldBack() async throws {
        try await onThread {
            let server = try ServerProcess()
            let client = try server.connect()
            let before = try server.residentBytes
            let peer = try server.connect()
            try peer.send("reserve")
            let put = Array("put 0 0 60 60000\r\n".utf8) + [UInt8](repeating: 0x61, count: 60_000) + [0x0D, 0x0A]
            var isHeldBack = false
            for _ in 0..<4_000 where !isHeldBack {
                isHeldBack = try peer.sendSome(put, seconds: 0.3) < put.count
            }
            #expect(isHeldBack, "the server took 240 MB behind a reserve that waits")
            let growth = try server.residentBytes - before
            #expect(growth < Self.growthBytesMax)
            try Self.expectPrompt(client)
        }
    }

    @Test func garbageIsAnsweredOrEndsItself() async throws {
        let seed = SeededGenerator.seed(from: "BEANSPIKE_GARBAGE_SEED")
        try await onThread {
            let server = try ServerProcess()
            let client = try server.connect()
            let before = try server.residentBytes
            var random = SeededGenerator(seed: seed)
            for round in 0..<40 {
                let peer = try server.connect()
                // Some of it is nearly commands: mutated, cut, and glued together.
                var bytes: [UInt8] = []
                while bytes.count < 20_000 {
                    var piece = Array(Self.nearly.randomElement(using: &random) ?? "".utf8.map { $0 })
                    if !piece.isEmpty, random.oneIn(2) {
                        piece[Int.random(in: 0..<piece.count, using: &random)] = .random(in: 0...255, using: &random)
                    }
                    if random.oneIn(5) { piece.removeLast(piece.count / 2) }
                    if random.oneIn(10) {
                        piece += (0..<300).map { _ in UInt8.random(in: 0...255, using: &random) }
                    }
                    bytes += piece
                }
                for chunk in stride(from: 0, to: bytes.count, by: 777) {
                    // A "quit" among it may end the connection early.
                    guard (try? peer.send(bytes: Array(bytes[chunk..<min(chunk + 777, bytes.count)]))) != nil else {
                        break
                    }
                }
                if round % 2 == 0 { peer.closeOutput() }
                try Self.expectPrompt(client)
                #expect(server.isRunning, "BEANSPIKE_GARBAGE_SEED=\(seed)")
            }
            #expect(try server.residentBytes - before < Self.growthBytesMax, "BEANSPIKE_GARBAGE_SEED=\(seed)")
        }
    }

    private static let nearly: [[UInt8]] = [
        "put 0 0 60 3\r\nabc\r\n", "put 4294967295 4294967295 4294967295 65535\r\n", "put 0 0 0 4294967295\r\n",
        "reserve-with-timeout 0\r\n", "delete 1\r\n", "release 1 0 0\r\n", "bury 1 0\r\n", "kick 1000000\r\n",
        "kick 18446744073709551616\r\n", "peek 18446744073709551615\r\n", "touch 1\r\n", "use a\r\n", "watch a\r\n",
        "ignore default\r\n", "stats\r\n", "stats-job 1\r\n", "stats-tube default\r\n", "list-tubes\r\n",
        "list-tubes-watched\r\n", "pause-tube a 1\r\n", "kick-job 1\r\n", "reserve-job 1\r\n", "peek-ready\r\n",
        "\r\n", "\r", "\n", "\0", "\r\n\r\n", "put ", "quit", "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    ].map { Array($0.utf8) }

    @Test func hugeBodiesAreNotKept() async throws {
        try await onThread {
            let server = try ServerProcess()
            let client = try server.connect()
            let before = try server.residentBytes
            // Announced, and never sent.
            let peers = try (0..<50).map { _ in
                let peer = try server.connect()
                try peer.send("put 0 0 60 4294967295")
                return peer
            }
            // Announced and sent: swallowed, not gathered.
            let chunk = [UInt8](repeating: 0x61, count: 1_000_000)
            try peers[0].send("stats")
            for _ in 0..<100 { try peers[0].send(bytes: chunk) }
            let growth = try server.residentBytes - before
            #expect(growth < Self.growthBytesMax)
            try Self.expectPrompt(client)
            for peer in peers { peer.close() }
            try Self.expectPrompt(client)
        }
    }

    @Test func theConnectionCapHolds() async throws {
        try await onThread {
            let server = try ServerProcess(arguments: ["-c", "3"])
            let first = try (0..<3).map { _ in try server.connect() }
            for client in first { try Self.expectPrompt(client) }
            let refused = try server.connect()
            #expect(try refused.isClosedByServer())
            for client in first { try Self.expectPrompt(client) }
            // One goes, another may come.
            first[0].close()
            let deadline = Deadline(seconds: 20)
            var isServed = false
            while !isServed, !deadline.hasPassed {
                isServed = (try? server.connect().ask("list-tube-used"))?.line == "USING default"
            }
            #expect(isServed)
        }
    }

    @Test func theSilentAreSentAway() async throws {
        try await onThread {
            let server = try ServerProcess(arguments: ["-I", "1"])
            let silent = try server.connect()
            let half = try server.connect()
            try half.send(bytes: Array("put 0 0 60 10\r\nhalf".utf8))
            let waiting = try server.connect()
            try waiting.send("reserve")
            let holding = try server.connect()
            _ = try holding.put("x")
            #expect(try waiting.readReply().id(after: "RESERVED") == 1)
            #expect(try silent.isClosedByServer())
            #expect(try half.isClosedByServer())
            // One that waits for a job is not silent: it is answered long after.
            let patient = try server.connect()
            #expect(try patient.ask("watch other").line == "WATCHING 2")
            #expect(try patient.ask("ignore default").line == "WATCHING 1")
            try patient.send("reserve-with-timeout 3")
            #expect(try patient.readReply().line == "TIMED_OUT")
        }
    }

    /// The server answers this client at once, as a person understands that on a busy machine.
    private static func expectPrompt(_ client: RawConnection) throws {
        try client.send("list-tube-used")
        #expect(try client.readReply(seconds: 10).line == "USING default")
    }
}

import Foundation
import Testing

extension QueueOnClusterTests {
    /// Two servers of one queue, which know of each other by the cluster alone.
    @Suite struct TwoServers {
        @Test(arguments: QueueOnCluster.Place.all)
        func areOneQueue(place: QueueOnCluster.Place) async throws {
            try await QueueOnCluster.with(place) { queue in
                let (one, other) = (try queue.server(), try queue.server())
                let (producer, consumer) = (try one.connect(), try other.connect())
                // Through one and out of the other, long bodies too.
                let long = String(repeating: "x", count: 60_000)
                for body in ["hello", long] {
                    let id = try producer.put(body)
                    let reply = try consumer.ask("reserve-with-timeout 10")
                    #expect(reply.id(after: "RESERVED") == id)
                    #expect(reply.text == body)
                    // Who holds it elsewhere has a say; nobody else has.
                    #expect(try producer.ask("delete \(id)").line == "NOT_FOUND")
                    #expect(try producer.ask("reserve-job \(id)").line == "NOT_FOUND")
                    #expect(try producer.ask("stats-job \(id)")["state"] == "reserved")
                    #expect(try consumer.ask("touch \(id)").line == "TOUCHED")
                    #expect(try consumer.ask("bury \(id) 0").line == "BURIED")
                    #expect(try producer.ask("kick 1").line == "KICKED 1")
                    #expect(try producer.ask("reserve-job \(id)").id(after: "RESERVED") == id)
                    #expect(try producer.ask("release \(id) 5 0").line == "RELEASED")
                    #expect(try consumer.ask("peek \(id)").id(after: "FOUND") == id)
                    #expect(try consumer.ask("delete \(id)").line == "DELETED")
                    #expect(try producer.ask("peek \(id)").line == "NOT_FOUND")
                }
                // Each job to one of them.
                let ids = Set(try (0..<200).map { _ in try producer.put("x") })
                let taken = try concurrently(2) { index in
                    let client = try (index == 0 ? one : other).connect()
                    var taken: [UInt64] = []
                    while let id = try client.ask("reserve-with-timeout 1").id(after: "RESERVED") {
                        taken.append(id)
                        guard try client.ask("delete \(id)").line == "DELETED" else {
                            throw TestFailure("\(id) was not ours to delete")
                        }
                    }
                    return taken
                }
                #expect(taken[0].count + taken[1].count == ids.count)
                #expect(Set(taken[0] + taken[1]) == ids)
                for server in [one, other] { #expect(try server.stop() == 0) }
            }
        }

        @Test(arguments: QueueOnCluster.Place.all, [[], ["--peer-listen", "off"]])
        func whoWaitsIsTold(place: QueueOnCluster.Place, flags: [String]) async throws {
            try await QueueOnCluster.with(place) { queue in
                let (one, other) = (try queue.server(flags), try queue.server(flags))
                let (producer, consumer) = (try one.connect(), try other.connect())
                _ = try consumer.ask("watch letters")
                _ = try producer.ask("use letters")
                for round in 0..<5 {
                    try consumer.send("reserve-with-timeout 60")
                    if round == 0 { try Self.waitForWaiting(other) }
                    // Delayed too: nobody else wakes whoever waits for that.
                    let id = try producer.put("x", delay: round == 4 ? 1 : 0)
                    #expect(try consumer.readReply(seconds: 20).id(after: "RESERVED") == id)
                    #expect(try consumer.ask("delete \(id)").line == "DELETED")
                }
                // A pause through one holds for the other, and so does its end.
                #expect(try producer.ask("pause-tube letters 3600").line == "PAUSED")
                let id = try producer.put("y")
                #expect(try consumer.ask("reserve-with-timeout 1").line == "TIMED_OUT")
                try consumer.send("reserve-with-timeout 60")
                #expect(try producer.ask("pause-tube letters 0").line == "PAUSED")
                #expect(try consumer.readReply(seconds: 20).id(after: "RESERVED") == id)
                for server in [one, other] { #expect(try server.stop() == 0) }
            }
        }

        @Test(arguments: QueueOnCluster.Place.all)
        func jobsComeBack(place: QueueOnCluster.Place) async throws {
            try await QueueOnCluster.with(place) { queue in
                let flags = ["--death-interval", "1"]
                let (one, other) = (try queue.server(flags), try queue.server(flags))
                let consumer = try other.connect()
                func take(_ count: Int, seconds: Double) throws -> Set<UInt64> {
                    var ids: Set<UInt64> = []
                    for _ in 0..<count {
                        try consumer.send("reserve-with-timeout 60")
                        let reply = try consumer.readReply(seconds: seconds)
                        guard let id = reply.id(after: "RESERVED") else { throw TestFailure("read \(reply.line)") }
                        guard try consumer.ask("delete \(id)").line == "DELETED" else {
                            throw TestFailure("\(id) is not ours")
                        }
                        ids.insert(id)
                    }
                    return ids
                }
                /// Puts jobs, and has a connection to the first server hold them.
                func hold(_ server: ServerProcess, _ count: Int) throws -> (RawConnection, Set<UInt64>) {
                    let holder = try server.connect()
                    var ids: Set<UInt64> = []
                    for number in 0..<count {
                        // With bodies in their segments and out of them.
                        let id = try holder.put(String(repeating: "b", count: number % 2 == 0 ? 5 : 5_000))
                        guard try holder.ask("reserve-job \(id)").id(after: "RESERVED") == id else {
                            throw TestFailure("\(id) cannot be reserved")
                        }
                        ids.insert(id)
                    }
                    return (holder, ids)
                }
                // A closed connection's, at once.
                let (closing, first) = try hold(one, 10)
                #expect(try consumer.ask("reserve-with-timeout 0").line == "TIMED_OUT")
                closing.close()
                #expect(try take(10, seconds: 10) == first)
                // Those of a server that ends, at once.
                let (ending, second) = try hold(one, 10)
                #expect(try one.stop() == 0)
                #expect(try take(10, seconds: 10) == second)
                ending.close()
                // Those of one that is killed: when it is found dead, and not before it may be.
                let killed = try queue.server(flags)
                let (lost, third) = try hold(killed, 40)
                try killed.killAtOnce()
                let began = ContinuousClock.now
                #expect(try take(40, seconds: 20) == third)
                #expect(ContinuousClock.now - began > .milliseconds(500))
                lost.close()
                // There is nothing left, and nothing twice.
                #expect(try consumer.ask("reserve-with-timeout 0").line == "TIMED_OUT")
                let stats = try consumer.ask("stats")
                for state in ["ready", "reserved", "delayed", "buried"] {
                    #expect(stats["current-jobs-\(state)"] == "0")
                }
                #expect(try other.stop() == 0)
            }
        }

        @Test(arguments: QueueOnCluster.Place.all)
        func jobsOutlastAllServers(place: QueueOnCluster.Place) async throws {
            try await QueueOnCluster.with(place) { queue in
                let flags = ["--death-interval", "1"]
                let first = try queue.server(flags)
                let client = try first.connect()
                let kept = try client.put("kept")
                let delayed = try client.put("delayed", delay: 3_600)
                let held = try client.put("held", priority: 9)
                #expect(try client.ask("reserve-job \(held)").id(after: "RESERVED") == held)
                try first.killAtOnce()
                let second = try queue.server(flags)
                let consumer = try second.connect()
                #expect(try consumer.ask("reserve-with-timeout 10").id(after: "RESERVED") == kept)
                #expect(try consumer.ask("reserve-with-timeout 20").id(after: "RESERVED") == held)
                #expect(try consumer.ask("stats-job \(delayed)")["state"] == "delayed")
                #expect(try second.stop() == 0)
            }
        }

        private static func waitForWaiting(_ server: ServerProcess) throws {
            let asking = try server.connect()
            let deadline = Deadline(seconds: 20)
            while try asking.ask("stats")["current-waiting"] != "1" {
                guard !deadline.hasPassed else { throw TestFailure("nobody waits") }
                usleep(1_000)
            }
        }
    }

    /// What a server says that cannot have its jobs on the cluster.
    @Suite struct Refusals {
        @Test func aClusterThatIsNotThere() async throws {
            try await onThread {
                let port = try RawConnection.freePort()
                let child = try ChildProcess(
                    ServerProgram.underTest.path,
                    ["-p", "0", "--store", "aerospike://127.0.0.1:\(port)/jobs", "--store-timeout", "1"]
                )
                #expect(try child.waitForExit() == 1)
                let last = child.standardError.split(separator: "\n").last ?? ""
                #expect(last.hasPrefix("beanspiked: Cannot open aerospike://127.0.0.1:\(port)/jobs: "))
            }
        }

        @Test func settingsThatLoseJobs() async throws {
            // What nodes do by default is refused, unless the risk is taken.
            try await QueueOnCluster.with(.inProcess, settingsLoseJobs: true) { queue in
                let child = try ChildProcess(
                    ServerProgram.underTest.path,
                    ["-p", "0", "--store", queue.url]
                )
                #expect(try child.waitForExit() == 1)
                #expect(child.standardError.contains("conflict-resolution-policy"))
                let server = try queue.server(["--accept-risks"])
                _ = try server.connect().put("x")
                #expect(server.standardError.contains("conflict-resolution-policy"))
                #expect(try server.stop() == 0)
            }
        }

        @Test(
            arguments: [
                ["--peer-listen", "a:x"], ["--peer-advertise", "a b"], ["--death-interval", "0.1"],
                ["--death-interval", "x"], ["--store-timeout", "-1"], ["--set-prefix", "a/b"],
            ]
        )
        func flagsThatMakeNoSense(flags: [String]) async throws {
            try await onThread {
                let child = try ChildProcess(ServerProgram.underTest.path, ["--store", "memory:"] + flags)
                #expect(try child.waitForExit() == 2)
                #expect(child.standardError.contains(flags[0]))
            }
        }
    }
}

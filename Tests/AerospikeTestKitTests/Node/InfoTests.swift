import Aerospike
import AerospikeTestKit
import AerospikeTestSupport
import NIOCore
import Testing

/// Answers to info requests, alone and beside a real server's.
@Suite(.onThreads)
struct InfoTests {
    @Test func aNodeTellsWhereItIs() async throws {
        try await TestCluster.withCluster(nodes: 3, replicationFactor: 2) { cluster in
            for (node, seed) in cluster.seeds.enumerated() {
                let client = try RawConnection(seed)
                #expect(try client.ask("node") == cluster.name(ofNode: node))
                #expect(try client.ask("service-clear-std") == "127.0.0.1:\(seed.port)")
                let peers = try PeerList(parsing: try client.ask("peers-clear-std"))
                #expect(Set(peers.peers.map(\.name)) == Set((0..<3).filter { $0 != node }.map(cluster.name(ofNode:))))
                let addresses = peers.peers.flatMap(\.addresses)
                #expect(Set(addresses.map(\.port)) == Set(cluster.seeds.map(\.port).filter { $0 != seed.port }))
                #expect(try client.ask("peers-generation") == "\(peers.generation)")
                #expect(try client.ask("partition-generation") == "0")
                #expect(try client.ask("cluster-name") == "testkit")
            }
        }
    }

    @Test func everyPartitionHasOneMasterAndItsReplicas() async throws {
        try await TestCluster.withCluster(nodes: 3, replicationFactor: 2) { cluster in
            var masters = [Int](repeating: 0, count: 4096)
            var replicas = [Int](repeating: 0, count: 4096)
            for seed in cluster.seeds {
                let all = try PartitionOwnership.parse(try RawConnection(seed).ask("replicas"))
                let owned = try #require(all.first { $0.namespace == "test" })
                #expect(owned.replicaCount == 2)
                #expect((1000...1800).contains(owned.count()))
                for partitionID in 0..<4096 {
                    masters[partitionID] += owned.holds(partitionID) ? 1 : 0
                    replicas[partitionID] += owned.holds(partitionID, asReplica: 1) ? 1 : 0
                    #expect(!(owned.holds(partitionID) && owned.holds(partitionID, asReplica: 1)))
                }
            }
            #expect(masters.allSatisfy { $0 == 1 })
            #expect(replicas.allSatisfy { $0 == 1 })
        }
    }

    @Test func indexesAreMadeListedAndDropped() async throws {
        try await TestCluster.withCluster(nodes: 2) { cluster in
            let client = try RawConnection(cluster.seeds[0])
            let definition = "namespace=test;set=s;indexname=i;bin=a;type=numeric"
            #expect(try client.ask("sindex-create:\(definition)") == "ok")
            #expect(try client.ask("sindex-create:\(definition)") == "ok")
            let other = try RawConnection(cluster.seeds[1])
            #expect(
                try other.ask("sindex-list")
                    == "ns=test:indexname=i:set=s:bin=a:type=numeric:indextype=default:context=null:exp=null:state=RW"
            )
            #expect(try other.ask("sindex-exists:namespace=test;indexname=i") == "true")
            #expect(try other.ask("sindex-exists:namespace=test;indexname=j") == "false")
            #expect(try other.ask("sindex-stat:namespace=test;indexname=i").contains("load_pct=100"))
            #expect(try other.ask("sindex/test/j") == "ERROR:201:no index")
            #expect(
                try client.ask("sindex-create:namespace=test;set=s;indexname=i;bin=b;type=numeric")
                    == "ERROR:200:'indexname' already exists with different definition"
            )
            #expect(try client.ask("sindex-delete:namespace=test;indexname=i") == "ok")
            #expect(try other.ask("sindex-list:namespace=test") == "")
        }
    }

    @Test func programsAreStored() async throws {
        try await TestCluster.withCluster(nodes: 2) { cluster in
            let client = try RawConnection(cluster.seeds[0])
            let content = Base64.encode(Array("function f() end".utf8))
            let put = "udf-put:filename=p.lua;content=\(content);content-len=\(content.utf8.count);udf-type=LUA;"
            #expect(try client.ask(put) == "ok")
            let other = try RawConnection(cluster.seeds[1])
            #expect(try other.ask("udf-list").hasPrefix("filename=p.lua,hash="))
            #expect(try other.ask("udf-get:filename=p.lua") == "type=LUA;content=\(content);")
            #expect(try other.ask("udf-remove:filename=p.lua") == "ok")
            #expect(try client.ask("udf-get:filename=p.lua") == "error=not_found")
        }
    }

    @Test(arguments: [
        ("function f() if true then return 1 end end", true), ("function f()", false), ("f() end", false),
        ("-- function\nfunction f() return 'end' end", true), ("--[[ if\n do ]] repeat until true", true),
        ("function f() return \"\\\"end\" end", true), ("for i = 1, 3 do\nend\nend", false),
    ])
    func programsWhoseBlocksDoNotEndAreRefused(_ source: String, _ isGood: Bool) async throws {
        try await TestCluster.withCluster { cluster in
            let content = Base64.encode(Array(source.utf8))
            let put = "udf-put:filename=p.lua;content=\(content);content-len=\(content.utf8.count);"
            let answer = try RawConnection(cluster.seeds[0]).ask(put)
            #expect(isGood ? answer == "ok" : answer.hasPrefix("error=compile_error;file=p.lua;line="))
        }
    }

    @Test func queriesThatAreDoneAreTold() async throws {
        try await TestCluster.withCluster { cluster in
            let client = try RawConnection(cluster.seeds[0])
            #expect(try client.ask("query-show") == "")
            var query = QueryRequest(namespace: "test", set: "kit", taskID: 77)
            query.partitionIDs = [1, 2, 3]
            var buffer = ByteBuffer()
            try query.write(into: &buffer, timeoutMilliseconds: 0)
            _ = try client.stream(buffer)
            let told = try client.ask("query-show:id=77")
            #expect(told.hasPrefix("trid=77:ns=test:set=kit:n-pids-requested=3:n-keyds-requested=0:"))
            #expect(told.contains(":status=done(ok):job-progress=100.00:"))
            #expect(told.split(separator: ":").allSatisfy { $0.contains("=") })
            #expect(try client.ask("query-show:id=78") == "ERROR:2:job not found")
            #expect(try client.ask("query-show").hasPrefix("trid=77:"))
        }
    }

    @Test func setsAreTruncatedOnEveryNode() async throws {
        let clock = ManualClock()
        var configuration = TestCluster.Configuration()
        configuration.clock = .manual(clock)
        try await TestCluster.withCluster(nodes: 3, replicationFactor: 2, configuration: configuration) { cluster in
            let client = try RawConnection(cluster.seeds[0])
            let keys = (0..<50).map { testKey("t\($0)") }
            for key in keys { #expect(try client.put(key, 1) == .ok) }
            let kept = Key(namespace: "test", set: "other", "kept")
            #expect(try client.put(kept, 1) == .ok)
            clock.advance(by: .milliseconds(10))
            #expect(try client.ask("truncate:namespace=test;set=kit") == "ok")
            for key in keys { #expect(try client.get(key) == nil) }
            #expect(try client.get(kept) == 1)
            #expect(try client.put(keys[0], 2) == .ok)
            #expect(try client.get(keys[0]) == 2)
            let future = clock.nowNanoseconds + 1_000_000_000
            #expect(
                try client.ask("truncate:namespace=test;set=kit;lut=\(future)")
                    == "ERROR:4:would truncate in the future"
            )
        }
    }

    @Test func settingsAreToldAndSet() async throws {
        var configuration = TestCluster.Configuration()
        configuration.namespaces[0].conflictResolution = .lastUpdateTime
        configuration.namespaces[0].recordBytesMax = 2000
        try await TestCluster.withCluster(configuration: configuration) { cluster in
            let client = try RawConnection(cluster.seeds[0])
            let settings = try client.ask("namespace/test").split(separator: ";")
            #expect(settings.contains("conflict-resolution-policy=last-update-time"))
            #expect(settings.contains("replication-factor=1"))
            #expect(settings.contains("effective_replication_factor=1"))
            #expect(settings.contains("nsup-period=120"))
            #expect(try client.ask("namespace/none") == "type=unknown")
            let large = Value.string(String(repeating: "x", count: 3000))
            #expect(try client.put(testKey("large"), large) == .recordTooBig)
            #expect(try client.ask("set-config:context=namespace;namespace=test;max-record-size=1048576") == "ok")
            #expect(try client.put(testKey("large"), large) == .ok)
        }
    }

    /// Names whose answer is the same on any node of one, or has the same form.
    @Test(
        .enabled(if: RealServer.isNamed, "set AEROSPIKE_HOST to host or host:port of a real server"),
        arguments: [
            "partitions", "status", "features", "edition", "build", "version", "peers-tls-std", "racks:", "no-such",
            "namespace/none", "sets/none", "sets/test/none", "sindex/none", "sindex/test/none", "truncate:",
            "truncate:namespace=test", "truncate-namespace:namespace=test;set=x", "user-agent-set:",
            "user-agent-set:value=!!", "query-show:id=5", "query-abort:id=5", "query-abort:", "query-show:id=x",
            "get-config:context=x", "get-config:context=namespace", "get-config:context=namespace;namespace=none",
            "set-config:", "udf-get:filename=none-such.lua", "udf-put:filename=x", "sindex-create:indexname=x",
            "sindex-create:namespace=test;indexname=x", "sindex-create:namespace=test;indexname=x;bin=a;type=foo",
            "sindex-stat:namespace=test;indexname=none", "sindex-exists:namespace=test;indexname=none",
            "sindex-exists:namespace=none;indexname=none", "sindex-delete:namespace=test;indexname=none",
            "service-clear-alt", "service-tls-std", "cluster-id", "build:", "node-", "connection", "roster:",
            "peers-clear-alt", "truncate:namespace=test;set=none;lut=abc", "replicas-master", "replicas",
        ]
    )
    func answersAreThoseOfARealServer(_ name: String) async throws {
        let real = try RealServer.connect()
        try await TestCluster.withCluster { cluster in
            let ours = try RawConnection(cluster.seeds[0])
            func normal(_ answer: String, port: Int) -> String {
                let parts = answer.replacing(":\(port)", with: ":PORT").replacing(",\(port),", with: ",PORT,")
                return name.hasPrefix("replicas")
                    ? parts.split(separator: ";").sorted().joined(separator: ";") : String(parts)
            }
            let expected = normal(try real.ask(name), port: RealServer.addresses[0].port)
            #expect(normal(try ours.ask(name), port: cluster.seeds[0].port) == expected)
        }
    }

    @Test(.enabled(if: RealServer.isNamed, "set AEROSPIKE_HOST to host or host:port of a real server"))
    func statisticsHaveTheNamesOfARealServer() async throws {
        let real = try RealServer.connect()
        func names(_ text: String, _ separator: Character) -> Set<Substring> {
            Set(text.split(separator: separator).compactMap { $0.split(separator: "=").first })
        }
        try await TestCluster.withCluster { cluster in
            let ours = try RawConnection(cluster.seeds[0])
            _ = try ours.put(testKey("one"), 1)
            for (name, separator) in [
                ("namespace/test", ";" as Character), ("statistics", ";"), ("get-config:context=service", ";"),
                ("get-config:context=namespace;namespace=test", ";"),
            ] {
                let unknown = names(try ours.ask(name), separator).subtracting(names(try real.ask(name), separator))
                #expect(unknown.isEmpty, "\(name)")
            }
        }
    }
}

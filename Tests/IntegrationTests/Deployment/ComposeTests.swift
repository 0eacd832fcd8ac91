import Foundation
import Testing

/// `deploy/compose.yaml`, held to its word as far as that goes without containers.
@Suite struct ComposeTests {
    /// The Python that can read YAML; `script/setup` makes it.
    private static let python = Deployment.root + "/.venv/bin/python"

    /// A service, as far as it is looked at here.
    private struct Service: Decodable {
        struct Build: Decodable {
            var context: String
            var dockerfile: String
        }
        struct HealthCheck: Decodable { var test: [String] }
        struct Condition: Decodable { var condition: String }

        var command: [String]
        var hostname: String?
        var healthcheck: HealthCheck
        var build: Build?
        var volumes: [String]?
        var dependsOn: [String: Condition]?
    }

    private struct Compose: Decodable {
        var services: [String: Service]
        var volumes: [String: String?]
    }

    private static func compose() throws -> Compose {
        let program = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))"
        let child = try ChildProcess(python, ["-B", "-c", program, Deployment.path("compose.yaml")])
        let output = child.readOutputToEnd()
        guard try child.waitForExit() == 0 else { throw TestFailure(child.standardError) }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Compose.self, from: Data(output.utf8))
    }

    @Test(.enabled(if: access(python, X_OK) == 0, "no .venv with PyYAML: run script/setup"))
    func everyServiceSaysWhatItsProgramTakes() async throws {
        try await onThread {
            let compose = try Self.compose()
            let nodes = compose.services.filter { $0.key.hasPrefix("aerospike-") }
            let servers = compose.services.filter { $0.key.hasPrefix("beanspiked-") }
            #expect((nodes.count, servers.count) == (3, 2))
            #expect(compose.services.count == 5)
            for (name, node) in nodes {
                #expect(node.hostname == name)
                let mounts = (node.volumes ?? []).map { $0.split(separator: ":").map(String.init) }
                #expect(mounts[0] == ["./aerospike.conf", node.command[1], "ro"])
                #expect(node.command[0] == "--config-file")
                #expect(mounts[1] == [name, "/opt/aerospike/data"])
                #expect(compose.volumes.keys.contains(name))
            }
            for (name, server) in servers {
                try Deployment.checkFlags(server.command)
                let url = try #require(server.command.last)
                #expect(
                    url == "aerospike://\(nodes.keys.sorted().map { "\($0):3000" }.joined(separator: ","))/beanspike"
                )
                #expect(Set((server.dependsOn ?? [:]).keys) == Set(nodes.keys), "\(name)")
                #expect((server.dependsOn ?? [:]).values.allSatisfy { $0.condition == "service_healthy" })
                let build = try #require(server.build)
                #expect(build.context == "..")
                #expect(build.dockerfile == "deploy/Dockerfile")
            }
            let configuration = try Deployment.text("aerospike.conf")
            for name in nodes.keys {
                #expect(configuration.contains("\n        mesh-seed-address-port \(name) 3002\n"))
            }
            #expect(configuration.contains("\n    min-cluster-size \(nodes.count / 2 + 1)\n"))
            #expect(configuration.contains("        file /opt/aerospike/data/"))
        }
    }

    @Test(
        .enabled(if: access(python, X_OK) == 0, "no .venv with PyYAML: run script/setup"),
        .enabled(if: ServerProgram.isOurs, "the health check is of our server")
    )
    func aServersHealthIsTold() async throws {
        try await onThread {
            let service = try #require(try Self.compose().services["beanspiked-1"])
            let server = try ServerProcess()
            let words = service.healthcheck.test
            #expect(words.prefix(2) == ["CMD", "beanspike"])
            func check(_ port: UInt16) throws -> Int32 {
                let arguments = words.dropFirst(2).map { $0.replacingOccurrences(of: ":11300", with: ":\(port)") }
                let child = try ChildProcess(ServerProgram.productsDirectory + "/beanspike", Array(arguments))
                return try child.waitForExit()
            }
            #expect(try check(server.port) == 0)
            #expect(try check(RawConnection.freePort()) == 1)
        }
    }

    @Test(.enabled(if: access(python, X_OK) == 0, "no .venv with PyYAML: run script/setup"))
    func aNodesHealthIsTold() async throws {
        try await onThread {
            let service = try #require(try Self.compose().services["aerospike-1"])
            let words = service.healthcheck.test
            #expect(words.prefix(3) == ["CMD", "bash", "-c"])
            func check(_ port: UInt16) throws -> Int32 {
                let script = words[3].replacingOccurrences(of: "/3000", with: "/\(port)")
                return try ChildProcess("/bin/bash", ["-c", script]).waitForExit()
            }
            for (answer, status) in [("ok", 0 as Int32), ("no", 1)] {
                // An info reply (docs/aerospike-client.md): version 2, type 1, its length in six bytes, and the text.
                let reply: [UInt8] = [2, 1, 0, 0, 0, 0, 0, 10] + Array("status\t\(answer)\n".utf8)
                let node = try ScriptedPeer(expecting: [2, 1, 0, 0, 0, 0, 0, 7] + Array("status\n".utf8), reply: reply)
                #expect(try check(node.port) == status)
                #expect(node.wasAsked)
            }
            #expect(try check(RawConnection.freePort()) != 0)
        }
    }

    @Test func theDockerfileCopiesWhatIsThere() throws {
        let lines = try Deployment.text("Dockerfile").split(separator: "\n")
        let copied = lines.filter { $0.hasPrefix("COPY ") && !$0.contains("--from") }
            .flatMap { $0.split(separator: " ").dropFirst().dropLast() }.map(String.init)
        #expect(copied == ["Package.swift", "Package.resolved", "Sources", "Tests", "script"])
        for name in copied { #expect(FileManager.default.fileExists(atPath: Deployment.root + "/" + name), "\(name)") }
        #expect(lines.contains { $0.contains("source script/lib.sh") })
        // The variable of script/lib.sh that it goes by.
        #expect(try String(contentsOfFile: Deployment.root + "/script/lib.sh", encoding: .utf8).contains("\nrelease=("))
    }
}

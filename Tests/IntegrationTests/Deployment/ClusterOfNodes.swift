import Foundation

/// Real Aerospike nodes on this machine, configured by `deploy/aerospike.conf` but for where they are.
final class ClusterOfNodes {
    /// The server's program.
    static let program = ProcessInfo.processInfo.environment["AEROSPIKE_ASD"]

    /// Where clients connect to, by node.
    let ports: [UInt16]
    private let directory: TemporaryDirectory
    private var nodes: [ChildProcess] = []

    /// Starts nodes, each with its files in a directory of its own.
    ///
    /// The changes are made to the configuration first: texts and what takes their place.
    init(count: Int = 3, changes: [(String, String)] = []) throws {
        guard let program = Self.program else { throw TestFailure("AEROSPIKE_ASD is not set") }
        directory = try TemporaryDirectory()
        var free: Set<UInt16> = []
        while free.count < count * 3 { free.insert(try RawConnection.freePort()) }
        ports = Array(free)
        var text = try Deployment.text("aerospike.conf")
        for (old, new) in changes {
            guard text.contains(old) else { throw TestFailure("the configuration has no \(old)") }
            text = text.replacingOccurrences(of: old, with: new)
        }
        for node in 0..<count {
            let home = directory.path + "/\(node)"
            try FileManager.default.createDirectory(atPath: home + "/smd", withIntermediateDirectories: true)
            let path = home + "/aerospike.conf"
            try Data(adapt(text, node: node, home: home).utf8).write(to: URL(fileURLWithPath: path))
            nodes.append(try ChildProcess(program, ["--foreground", "--config-file", path]))
        }
    }

    deinit {
        for node in nodes { node.signal(SIGTERM) }
        for node in nodes where (try? node.waitForExit(seconds: 20)) == nil { node.signal(SIGKILL) }
    }

    private func port(_ node: Int, _ kind: Int = 0) -> UInt16 { ports[node * 3 + kind] }

    /// The place of a node: addresses of this machine alone, ports and files of its own.
    private func adapt(_ text: String, node: Int, home: String) -> String {
        var lines: [String] = []
        var seeds = 0
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            let words = line.split(separator: " ").map(String.init)
            switch words.first {
            case "cluster-name":
                lines += ["node-id b\(node + 1)", "work-directory \(home)", "pidfile \(home)/asd.pid"]
                lines.append("cluster-name \(directory.path.suffix(12))")
            // Tests may open few files.
            case "proto-fd-max": lines.append("proto-fd-max 1024")
            case "address": lines.append("address 127.0.0.1")
            case "port":
                let kind = ["3000": 0, "3001": 1, "3002": 2][words[1]] ?? 0
                lines.append("port \(port(node, kind))")
                if kind == 0 { lines.append("access-address 127.0.0.1") }
            case "mesh-seed-address-port":
                if seeds < ports.count / 3 { lines.append("mesh-seed-address-port 127.0.0.1 \(port(seeds, 2))") }
                seeds += 1
            case "file": lines.append("file \(home)/\((words[1] as NSString).lastPathComponent)")
            case "filesize": lines.append("filesize 256M")
            default: lines.append(line)
            }
        }
        return lines.joined(separator: "\n")
    }

    /// The name by which clients find the cluster.
    var url: String { "aerospike://127.0.0.1:\(port(0))/beanspike" }

    /// Asks until an answer is the one that is waited for; nodes take some seconds to find each other.
    func wait<Answer>(seconds: Double = 60, until ask: () throws -> Answer?) throws -> Answer {
        let deadline = Deadline(seconds: seconds)
        while !deadline.hasPassed {
            for node in nodes where node.hasEnded {
                throw TestFailure("a node has ended: \(node.standardError.suffix(2000))")
            }
            if let answer = try ask() { return answer }
            usleep(200_000)
        }
        throw TestFailure("the nodes did not come to it in \(seconds) s")
    }
}

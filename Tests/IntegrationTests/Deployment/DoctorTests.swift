import Foundation
import Testing

/// `beanspike doctor` against real nodes that `deploy/aerospike.conf` configures.
@Suite(.enabled(if: ClusterOfNodes.program != nil, "set AEROSPIKE_ASD to the path of Aerospike's server"), .serialized)
struct DoctorTests {
    /// A line of `beanspike doctor --json`.
    private struct Line: Decodable {
        struct Remedy: Decodable {
            var commands: [String]
            var alternatives: [String]
        }
        var level: String
        var subject: String?
        var state: String?
        var promise: String?
        var remedy: Remedy?
    }

    private static func examine(_ url: String) throws -> (status: Int32, lines: [Line]) {
        let child = try ChildProcess(ServerProgram.productsDirectory + "/beanspike", ["doctor", url, "--json"])
        let output = child.readOutputToEnd()
        let status = try child.waitForExit()
        return (
            status, try output.split(separator: "\n").map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
        )
    }

    /// What the doctor says once the nodes have found each other and nothing moves any more.
    private static func examineWhenStill(_ cluster: ClusterOfNodes) throws -> (status: Int32, lines: [Line]) {
        try cluster.wait {
            let answer = try examine(cluster.url)
            let isStill = !answer.lines.contains { ["migrations", "cluster", "silent nodes"].contains($0.subject) }
            return isStill && answer.lines.contains { $0.state?.hasPrefix("3 nodes of ") == true } ? answer : nil
        }
    }

    @Test func theConfigurationLeavesNothingToSay() async throws {
        try await onThread {
            let cluster = try ClusterOfNodes()
            let (status, lines) = try Self.examineWhenStill(cluster)
            #expect(status == 0)
            #expect(lines.filter { $0.level != "fine" }.map(\.subject) == [])
            let promise = try #require(lines.last?.promise)
            #expect(
                promise.contains(", 2 copies of each job, on disk: losing any one node loses no job")
            )
            #expect(promise.hasSuffix("in a partition only a side of 2 nodes or more goes on"))
        }
    }

    /// Everything that can be set while nodes run is set by what the doctor says to type.
    @Test func itsRemediesHelp() async throws {
        try await onThread {
            let cluster = try ClusterOfNodes(changes: [
                ("min-cluster-size 2", "min-cluster-size 1"),
                ("replication-factor 2", "replication-factor 1"),
                ("conflict-resolution-policy last-update-time", "disable-write-dup-res true"),
                ("default-ttl 0", "default-ttl 3600"),
                ("nsup-period 120", "nsup-period 0\n allow-ttl-without-nsup true"),
                (
                    "    stop-writes-sys-memory-pct",
                    "    max-record-size 65536\n transaction-pending-limit 4\n    stop-writes-sys-memory-pct"
                ),
            ])
            let (status, lines) = try Self.examineWhenStill(cluster)
            #expect(status == 1)
            let wrong = lines.filter { $0.level != "fine" && $0.subject != nil && $0.subject != "storage-engine" }
            #expect(
                Set(wrong.compactMap(\.subject)) == [
                    "min-cluster-size", "replication-factor", "conflict-resolution-policy", "disable-write-dup-res",
                    "default-ttl", "nsup-period", "max-record-size", "transaction-pending-limit",
                ]
            )
            for line in wrong {
                let typed = try #require(line.remedy?.alternatives)
                #expect(typed.count == (line.subject == "replication-factor" ? 6 : 3), "\(line.subject ?? "")")
                for command in typed {
                    // asinfo -h HOST -p PORT -v 'COMMAND'
                    let words = command.split(separator: " ")
                    let port = try #require(UInt16(words[4]))
                    let text = try #require(command.split(separator: "'").last)
                    #expect(try Self.ask(port, String(text)) == "ok", "\(text)")
                }
            }
            let better = try cluster.wait { () -> (status: Int32, lines: [Line])? in
                let answer = try Self.examineWhenStill(cluster)
                return answer.lines.contains { $0.subject == "replication-factor" && $0.level == "fine" } ? answer : nil
            }
            #expect(better.status == 0)
            #expect(better.lines.filter { $0.level != "fine" }.map(\.subject) == [])
        }
    }

    /// An info request, as `asinfo` sends it.
    private static func ask(_ port: UInt16, _ command: String) throws -> String {
        let connection = try RawConnection(port: port)
        let text = Array("\(command)\n".utf8)
        let head = (UInt64(2) << 56 | UInt64(1) << 48 | UInt64(text.count)).bigEndian
        try connection.send(bytes: withUnsafeBytes(of: head, Array.init) + text)
        let length = try connection.read(count: 8).dropFirst(2).reduce(0) { $0 << 8 | Int($1) }
        let reply = String(decoding: try connection.read(count: length), as: UTF8.self)
        let parts = reply.split(separator: "\n").first?.split(separator: "\t", maxSplits: 1) ?? []
        // A cluster of which this node is not the first says `ignored-by-non-principal` to a recluster.
        return parts.last.map { $0 == "ignored-by-non-principal" ? "ok" : String($0) } ?? ""
    }
}

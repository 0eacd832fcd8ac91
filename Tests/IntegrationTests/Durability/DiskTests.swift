import Foundation
import Testing

/// A full disk, and room that is given back.
///
/// `BEANSPIKE_DISK_MEGABYTES` sets how much is put and deleted again (192).
@Suite(.enabled(if: ServerProgram.isOurs, "beanstalkd does otherwise"))
struct DiskTests {
    private static let body = [UInt8](repeating: UInt8(ascii: "x"), count: 60_000)
    private static let megabytes =
        ProcessInfo.processInfo.environment["BEANSPIKE_DISK_MEGABYTES"].flatMap { Int($0) } ?? 192

    @Test(.enabled(if: SmallDisk.isPossible, "needs root, to mount a small file system"))
    func aFullDiskIsAnErrorAndNoLoss() async throws {
        try await onThread {
            let disk = try SmallDisk(megabytes: 48)
            let server = try ServerProcess(directory: disk.path + "/store")
            var ids = try Self.fill(server)
            #expect(ids.count > 50)

            // What is there can be taken, set aside and deleted, though nothing more fits.
            let client = try server.connect()
            #expect(try client.ask("peek \(ids[0])").body == Self.body)
            let taken = try client.ask("reserve-with-timeout 0").id(after: "RESERVED")
            #expect(taken == ids[0])
            #expect(try client.ask("bury \(ids[0]) 7").line == "BURIED")
            for id in ids.suffix(ids.count / 2) { #expect(try client.ask("delete \(id)").line == "DELETED") }
            ids.removeLast(ids.count / 2)

            // There is room again: at once, or as soon as the deleted jobs' has been given back.
            let deadline = Deadline(seconds: 20)
            var id: UInt64?
            while id == nil, !deadline.hasPassed {
                try client.sendPut(Self.body)
                id = try client.readReply().id(after: "INSERTED")
            }
            ids.append(try #require(id, "no put works after half of the jobs are deleted"))
            try Self.expectOnly(ids, on: client)

            // And after the end of the process, too, however it comes; even on a disk that is full again.
            ids += try Self.fill(server)
            try server.killAtOnce()
            try server.restart()
            try Self.expectOnly(ids, on: try server.connect())
            #expect(try server.connect().ask("stats-job \(ids[0])")["state"] == "buried")
            #expect(try server.stop() == 0)
        }
    }

    /// Puts jobs until there is no room; returns the ids of those that were acknowledged.
    private static func fill(_ server: ServerProcess) throws -> [UInt64] {
        let client = try server.connect()
        var ids: [UInt64] = []
        while ids.count < 2_000 {
            try client.sendPut(body)
            let reply = try client.readReply()
            guard let id = reply.id(after: "INSERTED") else {
                #expect(reply.line == "OUT_OF_MEMORY")
                return ids
            }
            ids.append(id)
        }
        throw TestFailure("the disk is never full")
    }

    /// Checks that exactly these jobs are there.
    private static func expectOnly(_ ids: [UInt64], on client: RawConnection) throws {
        for id in ids { #expect(try client.ask("peek \(id)").body == body, "job \(id)") }
        let statistics = try client.ask("stats-tube default")
        let counts = ["ready", "reserved", "delayed", "buried"].map { statistics["current-jobs-\($0)"] }
        #expect(counts.compactMap { $0.flatMap { Int($0) } }.reduce(0, +) == ids.count)
    }

    @Test func roomIsGivenBack() async throws {
        try await onThread {
            let directory = try TemporaryDirectory()
            let server = try ServerProcess(directory: directory.path)
            let client = try server.connect()
            let count = Self.megabytes * 1_000_000 / Self.body.count
            let put = Array("put 0 0 60 \(Self.body.count)\r\n".utf8) + Self.body + [0x0D, 0x0A]
            for _ in 0..<count {
                try client.send(bytes: put)
                guard try client.readLine().hasPrefix("INSERTED ") else { throw TestFailure("a put is refused") }
            }
            #expect(directory.diskBytes > count * Self.body.count)
            for first in stride(from: 1, through: count, by: 100) {
                let ids = first..<min(first + 100, count + 1)
                try client.send(bytes: ids.flatMap { Array("delete \($0)\r\n".utf8) })
                for id in ids {
                    guard try client.readLine() == "DELETED" else { throw TestFailure("job \(id) is not deleted") }
                }
            }
            let deadline = Deadline(seconds: 60)
            while directory.diskBytes >= 64_000_000, !deadline.hasPassed { usleep(20_000) }
            #expect(directory.diskBytes < 64_000_000)
            #expect(try server.stop() == 0)
            #expect(directory.diskBytes < 64_000_000)
        }
    }
}

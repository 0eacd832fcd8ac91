import Glibc

/// The process of a server on this machine, as `/proc` tells of it.
struct ServerProcess: Equatable {
    let id: Int32

    /// Resident memory in bytes, nil where the process is gone or not ours to see.
    var residentBytes: UInt64? {
        guard let fields = Self.firstLine(of: "/proc/\(id)/statm")?.split(separator: " "), fields.count > 1,
            let pages = UInt64(fields[1])
        else { return nil }
        return pages * UInt64(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// Processor time spent so far in nanoseconds, in the kernel and out of it.
    var cpuNanoseconds: UInt64? {
        // The name, in parentheses, may hold spaces: count from its end. proc(5): utime and stime are fields 14 and 15.
        guard let line = Self.firstLine(of: "/proc/\(id)/stat"), let close = line.lastIndex(of: ")") else { return nil }
        let fields = line[close...].split(separator: " ")
        guard fields.count > 13, let user = UInt64(fields[12]), let system = UInt64(fields[13]) else { return nil }
        return (user + system) * (1_000_000_000 / UInt64(sysconf(Int32(_SC_CLK_TCK))))
    }

    private static func firstLine(of path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4_096) { room in
            guard let start = room.baseAddress, fgets(start, Int32(room.count), file) != nil else { return nil }
            return String(cString: start)
        }
    }

    /// The server's process by the `pid` of its `stats`, where it is on this machine.
    init?(of connection: BeanstalkConnection) throws {
        guard connection.isLocal else { return nil }
        let reply = try connection.request("stats")
        guard reply.name == "OK", let body = reply.body else { return nil }
        for line in String(decoding: body, as: UTF8.self).split(separator: "\n") where line.hasPrefix("pid:") {
            guard let id = Int32(line.dropFirst("pid:".count).filter { !$0.isWhitespace && $0 != "\"" }) else { break }
            self.init(id: id)
            return
        }
        return nil
    }

    init?(id: Int32) {
        self.id = id
        if residentBytes == nil { return nil }
    }
}

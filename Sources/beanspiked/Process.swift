import BeanspikeServer
import CMalloc

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Lines for whoever started the process, unbuffered.
enum Output {
    /// Writes one line.
    static func print(_ line: String, to descriptor: Int32 = STDOUT_FILENO) {
        var bytes = Array(line.utf8)
        if bytes.last != UInt8(ascii: "\n") { bytes.append(UInt8(ascii: "\n")) }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { rest in
                write(descriptor, rest.baseAddress?.advanced(by: written), rest.count - written)
            }
            if count < 0 && errno == EINTR { continue }
            // Nobody listens.
            if count <= 0 { return }
            written += count
        }
    }
}

/// This process.
enum Process {
    /// Its variables.
    static func environment() -> [String: String] {
        var result: [String: String] = [:]
        for name in ["AEROSPIKE_HOST", "AEROSPIKE_PORT"] {
            if let value = getenv(name) { result[name] = String(cString: value) }
        }
        return result
    }

    /// Has memory come from one heap that grows by steps of a megabyte.
    ///
    /// glibc gives each thread a heap of its own, which grows by a page, one system call each time: thousands a second
    /// where jobs come fast. To be called before there is another thread.
    static func configureMemory() {
        #if canImport(Glibc)
            _ = mallopt(M_ARENA_MAX, 1)
            _ = mallopt(M_TOP_PAD, 1 << 20)
        #endif
    }

    /// Gives up the privileges of the user that started it.
    ///
    /// - Throws: ``BeanspikeServerError/Code/cannotBecomeUser``
    static func become(user: String) throws(BeanspikeServerError) {
        // Called before there is another thread that could ask for an entry.
        guard let entry = getpwnam(user) else {
            throw BeanspikeServerError(.cannotBecomeUser, "-u \(user): there is no such user.")
        }
        let (uid, gid) = (entry.pointee.pw_uid, entry.pointee.pw_gid)
        // The supplementary groups of the old user would stay otherwise; only root has to, and can, drop them.
        guard geteuid() != 0 || initgroups(user, gid) == 0, setgid(gid) == 0, setuid(uid) == 0 else {
            let reason = String(cString: strerror(errno))
            throw BeanspikeServerError(.cannotBecomeUser, "-u \(user): \(reason). Start it as root, or without -u.")
        }
    }
}

public import BeanspikeCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Looks whether a directory is good for a store, without opening one and without leaving anything behind.
struct DirectoryExamination {
    private let path: String
    private let limits = JournalLimits()

    /// How many syncs are timed.
    private static let syncCount = 5

    init(directory: String) {
        var path = directory.isEmpty ? "." : directory
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        self.path = path
    }

    var findings: [StoreFinding] {
        var status = stat()
        guard stat(path, &status) == 0 else {
            let failure = errno
            guard failure == ENOENT else { return [unusable("directory", "cannot be examined (\(reason(failure)))")] }
            return absent
        }
        guard status.st_mode & S_IFMT == S_IFDIR else { return [unusable("directory", "is not a directory")] }
        let found = StoreFinding(.fine, "directory", path, meaning: "The store is here, or will be made here.")
        return [found] + journal + lock + [writing(in: path)] + fileSystem(of: path) + room(of: path)
    }

    // MARK: The directory

    private func unusable(_ subject: String, _ what: String) -> StoreFinding {
        StoreFinding(
            .refused,
            subject,
            "\(path) \(what)",
            meaning: "No store can be opened.",
            remedy: .init("Name another directory, or give this user the right to it."),
            canBeAccepted: false
        )
    }

    /// A directory that is not there is made when a store is opened, if that into which it is to come is.
    private var absent: [StoreFinding] {
        let parent = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        var status = stat()
        guard stat(parent, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            return [
                StoreFinding(
                    .refused,
                    "directory",
                    "\(path) and \(parent) are not there",
                    meaning: "No store can be made.",
                    remedy: .init("Make \(parent).", commands: ["mkdir -p \(parent)"]),
                    canBeAccepted: false
                )
            ]
        }
        let found = StoreFinding(.fine, "directory", "\(path) is not there", meaning: "It is made at the first start.")
        return [found, writing(in: parent)] + fileSystem(of: parent) + room(of: parent)
    }

    /// What is in the directory already.
    private var journal: [StoreFinding] {
        let directory = JournalDirectory(examining: path)
        do throws(JobStoreError) {
            guard try directory.exists(directory.journalPath) else {
                try directory.checkIsFresh()
                return [StoreFinding(.fine, "journal", "none", meaning: "The store is empty.")]
            }
            try JournalFile.checkHead(in: directory)
            return [StoreFinding(.fine, "journal", "there", meaning: "The jobs in it are served.")]
        } catch {
            return [
                StoreFinding(
                    .refused,
                    "journal",
                    "not usable",
                    meaning: error.message,
                    remedy: .init("Name another directory, or restore a backup."),
                    canBeAccepted: false
                )
            ]
        }
    }

    /// Who has the store open.
    ///
    /// The lock is asked for shared and given back at once; a server that starts in just that moment would have to be
    /// started once more.
    private var lock: [StoreFinding] {
        let descriptor = open(path + "/journal.lock", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        if flock(descriptor, LOCK_SH | LOCK_NB) == 0 {
            flock(descriptor, LOCK_UN)
            return [StoreFinding(.fine, "lock", "free", meaning: "No process has the store open.")]
        }
        let holder = JournalDirectory.content(of: descriptor)
        let state = "held by " + (holder.isEmpty ? "another process" : holder)
        return [StoreFinding(.fine, "lock", state, meaning: "That process serves the jobs; a second one is refused.")]
    }

    // MARK: The disk

    /// Writes and syncs a file that has no name for longer than it takes to remove it.
    private func writing(in place: String) -> StoreFinding {
        let probe = "\(place)/.beanspike-doctor-\(getpid())"
        let descriptor = open(probe, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return unusable("writing", "cannot be written to (\(reason(errno)))") }
        unlink(probe)
        defer { close(descriptor) }
        var times: [Duration] = []
        let page = [UInt8](repeating: 0x5A, count: Int(JournalLimits.pageBytes))
        for index in 0..<Self.syncCount {
            let start = ContinuousClock.now
            guard pwrite(descriptor, page, page.count, off_t(index * page.count)) == page.count else {
                return unusable("writing", "cannot be written to (\(reason(errno)))")
            }
            guard fsync(descriptor) == 0 else {
                return StoreFinding(
                    .refused,
                    "sync",
                    "fails (\(reason(errno)))",
                    meaning: "What is acknowledged would not survive a power cut.",
                    remedy: .init("Use a local file system that syncs.")
                )
            }
            times.append(ContinuousClock.now - start)
        }
        let median = times.sorted()[Self.syncCount / 2]
        let microseconds = median / .microseconds(1)
        return StoreFinding(
            .fine,
            "sync",
            "works, in \(Int(microseconds.rounded())) µs",
            meaning: "What is acknowledged is on disk (-D, the default). One client that waits for each reply makes at "
                + "most \(Int((1e6 / max(1, microseconds)).rounded())) changes a second."
        )
    }

    /// File systems that do not keep what a store needs to be kept.
    private func fileSystem(of place: String) -> [StoreFinding] {
        guard let mounts = MountTable.current, let kind = mounts.fileSystem(of: place) else { return [] }
        let meaning: String
        switch kind {
        case "tmpfs", "ramfs": meaning = "It is memory: jobs are gone when the machine stops."
        case "overlay": meaning = "In a container, jobs are gone with it; a volume would outlast it."
        case "9p", "ceph", "cifs", "glusterfs", "nfs", "nfs4", "smb3", "fuse.sshfs", "fuse.glusterfs":
            meaning = "It is a network's: its locks and syncs are not to be trusted."
        default: return [StoreFinding(.fine, "file system", kind, meaning: "It is of this machine.")]
        }
        let remedy = StoreFinding.Remedy("Name a directory on a local disk.")
        return [StoreFinding(.warning, "file system", kind, meaning: meaning, remedy: remedy)]
    }

    private func room(of place: String) -> [StoreFinding] {
        var status = statvfs()
        guard statvfs(place, &status) == 0 else { return [] }
        let free = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize)).partialValue
        let needed = UInt64(limits.logBytes + limits.freeBytesMax)
        let state = "\(free >> 20) MiB free"
        guard free < needed else {
            return [StoreFinding(.fine, "room", state, meaning: "There is room for jobs.")]
        }
        let remedy = StoreFinding.Remedy("Make room on that disk, or name a directory on another.")
        let meaning = "The log and its reserve take \(needed >> 20) MiB: puts are soon turned away (OUT_OF_MEMORY)."
        return [StoreFinding(.warning, "room", state, meaning: meaning, remedy: remedy)]
    }

    private func reason(_ number: Int32) -> String { String(cString: strerror(number)) }
}

extension EmbeddedStore {
    /// Looks whether a directory is good for a store, without opening one.
    ///
    /// - Parameter directory: the directory, which need not be there.
    /// - Returns: what was found.
    public static func examine(directory: String) -> [StoreFinding] {
        DirectoryExamination(directory: directory).findings
    }
}

import BeanspikeCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The directory of a store: made where it is missing, and locked against others until ``unlock()``.
final class JournalDirectory {
    let path: String
    /// Negative once it is given up.
    private var lock: Int32

    /// The journal itself.
    var journalPath: String { path + "/journal.sqlite" }
    /// The journal while it is made; it gets its name when it is whole.
    var unfinishedPath: String { path + "/journal.sqlite.new" }
    /// Locked by the process that has the store open.
    var lockPath: String { path + "/journal.lock" }

    init(path: String) throws(JobStoreError) {
        var path = path.isEmpty ? "." : path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        self.path = path
        try Self.makeDirectory(path)
        let lockPath = path + "/journal.lock"
        let descriptor = openFile(lockPath, O_RDWR | O_CREAT | O_CLOEXEC)
        guard descriptor >= 0 else {
            let reason = Self.systemReason()
            throw JobStoreError(
                .cannotOpen,
                "The store's directory \(path) cannot be written to (\(reason)). Give this user the right to, or name "
                    + "another directory."
            )
        }
        // Ends with the process, however that ends; two opens in one process keep each other out too.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let isHeld = errno == EWOULDBLOCK
            let reason = Self.systemReason()
            let holder = Self.content(of: descriptor)
            closeFile(descriptor)
            guard isHeld else {
                throw JobStoreError(.cannotOpen, "The store's lock \(lockPath) cannot be taken (\(reason)).")
            }
            throw JobStoreError(
                .inUse,
                "The store in \(path) is in use by another process\(holder.isEmpty ? "" : " (\(holder))"). Stop that "
                    + "process, or name another directory."
            )
        }
        lock = descriptor
        let holder = Array("pid \(getpid())\n".utf8)
        // For people only; the lock holds without it.
        _ = ftruncate(descriptor, 0)
        _ = pwrite(descriptor, holder, holder.count, 0)
    }

    /// A directory that is looked at and not used: it is neither made nor locked.
    init(examining path: String) {
        self.path = path
        lock = -1
    }

    deinit { unlock() }

    /// Lets others have the directory; nothing in it may be used any more.
    func unlock() {
        guard lock >= 0 else { return }
        // Not by closing alone: a child that another thread is just starting shares the descriptor until it has
        // become another program.
        flock(lock, LOCK_UN)
        closeFile(lock)
        lock = -1
    }

    /// Throws where the directory has something in it that an empty store would hide.
    func checkIsFresh() throws(JobStoreError) {
        guard let names = opendir(path) else {
            throw JobStoreError(.cannotOpen, "The directory \(path) cannot be listed (\(Self.systemReason())).")
        }
        defer { closedir(names) }
        while let entry = readdir(names) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            if name == "journal.sqlite-wal" || name == "journal.sqlite-journal" {
                throw JobStoreError(
                    .notAStore,
                    "\(path) has \(name), but the journal.sqlite that it belongs to is missing. Put both back from a "
                        + "copy, or move \(name) away to start an empty store."
                )
            }
            if name.hasPrefix("binlog."), name.dropFirst(7).allSatisfy(\.isNumber) {
                throw JobStoreError(
                    .notAStore,
                    "\(path) holds beanstalkd's binlog (\(name)), whose jobs this store cannot read. Work them off "
                        + "with beanstalkd first, or name another directory."
                )
            }
        }
    }

    /// Whether a file is there.
    func exists(_ path: String) throws(JobStoreError) -> Bool {
        var status = stat()
        if stat(path, &status) == 0 { return true }
        guard errno == ENOENT else {
            throw JobStoreError(.cannotOpen, "\(path) cannot be examined (\(Self.systemReason())).")
        }
        return false
    }

    /// The first bytes of a file, fewer where it is shorter.
    func head(of path: String, count: Int) throws(JobStoreError) -> [UInt8] {
        let descriptor = openFile(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw JobStoreError(
                .cannotOpen,
                "\(path) cannot be read (\(Self.systemReason())). Give this user the right to read and write it."
            )
        }
        defer { closeFile(descriptor) }
        var bytes = [UInt8](repeating: 0, count: count)
        let got = pread(descriptor, &bytes, count, 0)
        guard got >= 0 else {
            throw JobStoreError(.readFailed, "\(path) cannot be read (\(Self.systemReason())).")
        }
        return Array(bytes.prefix(got))
    }

    /// Removes what an interrupted creation left.
    func removeUnfinished() {
        for suffix in ["", "-wal", "-journal", "-shm"] { unlink(unfinishedPath + suffix) }
    }

    /// Makes an empty file that only this user may read.
    func makeUnfinished() throws(JobStoreError) {
        let descriptor = openFile(unfinishedPath, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw JobStoreError(.cannotOpen, "\(unfinishedPath) cannot be made (\(Self.systemReason())).")
        }
        closeFile(descriptor)
    }

    /// Gives the whole new journal its name, in a way that a power cut leaves either none or a whole one.
    func finish() throws(JobStoreError) {
        let file = openFile(unfinishedPath, O_RDONLY | O_CLOEXEC)
        let isWritten = file >= 0 && fsync(file) == 0
        if file >= 0 { closeFile(file) }
        guard isWritten, rename(unfinishedPath, journalPath) == 0 else {
            throw JobStoreError(.cannotOpen, "\(journalPath) cannot be made (\(Self.systemReason())).")
        }
        let directory = openFile(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        // Some file systems cannot do this and need not.
        if directory >= 0 {
            fsync(directory)
            closeFile(directory)
        }
    }

    private static func makeDirectory(_ path: String) throws(JobStoreError) {
        if mkdir(path, 0o700) == 0 { return }
        let failure = errno
        let reason = systemReason()
        var status = stat()
        if failure == EEXIST, stat(path, &status) == 0 {
            guard status.st_mode & S_IFMT != S_IFDIR else { return }
            throw JobStoreError(.cannotOpen, "\(path) is not a directory. Name a directory for the store.")
        }
        let remedy =
            failure == ENOENT
            ? "Make the directory that it is to be in first." : "Make it for this user, or name another."
        throw JobStoreError(.cannotOpen, "The store's directory \(path) cannot be made (\(reason)). \(remedy)")
    }

    /// What the holder of the lock has written of itself.
    static func content(of descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 64)
        let got = pread(descriptor, &bytes, bytes.count, 0)
        let text = String(decoding: bytes.prefix(max(0, got)), as: UTF8.self)
        return String(text.prefix { $0.isASCII && $0 != "\n" })
    }

    private static func systemReason() -> String { String(cString: strerror(errno)) }
}

/// `open` for a file of this user alone.
private func openFile(_ path: String, _ flags: Int32) -> Int32 { open(path, flags, 0o600) }

/// `close`, whose result says nothing that could be acted on here.
private func closeFile(_ descriptor: Int32) { close(descriptor) }

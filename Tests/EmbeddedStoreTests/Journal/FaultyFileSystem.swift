import CSQLite

/// An SQLite VFS over the real one that fails when it is told to: registered for one test, by a name of its own.
///
/// The files of one `FaultyFileSystem` are used by one thread.
final class FaultyFileSystem {
    enum Fault: CaseIterable {
        /// The write does nothing and fails.
        case write
        /// Half of the write is made, then it fails.
        case tornWrite
        /// There is no room for the write.
        case full
        /// The content is not known to be on the disk.
        case sync
        /// The file cannot be cut.
        case truncate
    }

    let name: String
    /// Operations until the first that fails; each of the next `faultCount` of its kind does.
    var operationsUntilFault = Int.max
    var fault = Fault.write
    var faultCount = 0
    private(set) var faultsMade = 0

    private let real: UnsafeMutablePointer<sqlite3_vfs>
    private let vfs: UnsafeMutablePointer<sqlite3_vfs>
    private let cName: UnsafeMutablePointer<CChar>
    fileprivate let methods: UnsafeMutablePointer<sqlite3_io_methods>

    struct NoFileSystem: Error {}

    init(name: String) throws {
        guard let real = sqlite3_vfs_find(nil) else { throw NoFileSystem() }
        self.name = name
        self.real = real
        let bytes = Array(name.utf8CString)
        cName = .allocate(capacity: bytes.count)
        cName.initialize(from: bytes, count: bytes.count)
        methods = .allocate(capacity: 1)
        methods.initialize(to: FaultyFile.methods)
        vfs = .allocate(capacity: 1)
        vfs.initialize(to: real.pointee)
        vfs.pointee.zName = UnsafePointer(cName)
        vfs.pointee.pNext = nil
        vfs.pointee.szOsFile = real.pointee.szOsFile + Int32(MemoryLayout<FaultyFile>.stride)
        vfs.pointee.pAppData = Unmanaged.passUnretained(self).toOpaque()
        vfs.pointee.xOpen = { vfs, name, file, flags, outFlags in
            guard let file, let appData = vfs?.pointee.pAppData else { return SQLITE_CANTOPEN }
            let system = Unmanaged<FaultyFileSystem>.fromOpaque(appData).takeUnretainedValue()
            let faulty = FaultyFile.of(file)
            faulty.pointee = FaultyFile(base: sqlite3_file(pMethods: nil), system: appData)
            let inner = FaultyFile.inner(file)
            let code = system.real.pointee.xOpen(system.real, name, inner, flags, outFlags)
            if inner.pointee.pMethods != nil { faulty.pointee.base.pMethods = UnsafePointer(system.methods) }
            return code
        }
        guard sqlite3_vfs_register(vfs, 0) == SQLITE_OK else { throw NoFileSystem() }
    }

    deinit {
        sqlite3_vfs_unregister(vfs)
        vfs.deallocate()
        methods.deallocate()
        cName.deallocate()
    }

    /// Whether this operation is to fail.
    fileprivate func fails(_ kinds: Fault...) -> Bool {
        operationsUntilFault -= 1
        guard operationsUntilFault < 0, faultCount > 0, kinds.contains(fault) else { return false }
        faultCount -= 1
        faultsMade += 1
        return true
    }
}

/// SQLite's file structure, followed in memory by that of the real VFS.
private struct FaultyFile {
    var base: sqlite3_file
    var system: UnsafeMutableRawPointer

    static func of(_ file: UnsafeMutablePointer<sqlite3_file>) -> UnsafeMutablePointer<FaultyFile> {
        UnsafeMutableRawPointer(file).assumingMemoryBound(to: FaultyFile.self)
    }

    static func inner(_ file: UnsafeMutablePointer<sqlite3_file>) -> UnsafeMutablePointer<sqlite3_file> {
        (UnsafeMutableRawPointer(file) + MemoryLayout<FaultyFile>.stride).assumingMemoryBound(to: sqlite3_file.self)
    }

    static func system(_ file: UnsafeMutablePointer<sqlite3_file>) -> FaultyFileSystem {
        Unmanaged<FaultyFileSystem>.fromOpaque(of(file).pointee.system).takeUnretainedValue()
    }

    /// The real file's operations.
    static func real(_ file: UnsafeMutablePointer<sqlite3_file>?) -> (
        UnsafeMutablePointer<sqlite3_file>, sqlite3_io_methods
    )? {
        guard let file, let methods = inner(file).pointee.pMethods else { return nil }
        return (inner(file), methods.pointee)
    }

    static var methods: sqlite3_io_methods {
        var methods = sqlite3_io_methods()
        // Version 1 has no shared memory: the journal's locking mode needs none.
        methods.iVersion = 1
        methods.xClose = { file in FaultyFile.real(file).map { $0.1.xClose($0.0) } ?? SQLITE_IOERR }
        methods.xRead = { file, bytes, count, offset in
            FaultyFile.real(file).map { $0.1.xRead($0.0, bytes, count, offset) } ?? SQLITE_IOERR
        }
        methods.xWrite = { file, bytes, count, offset in
            guard let file, let (inner, methods) = FaultyFile.real(file) else { return SQLITE_IOERR }
            let system = FaultyFile.system(file)
            if system.fails(.write, .tornWrite, .full) {
                if system.fault == .tornWrite { _ = methods.xWrite(inner, bytes, count / 2, offset) }
                return system.fault == .full ? SQLITE_FULL : SQLITE_IOERR | (3 << 8)
            }
            return methods.xWrite(inner, bytes, count, offset)
        }
        methods.xTruncate = { file, bytes in
            guard let file, let (inner, methods) = FaultyFile.real(file) else { return SQLITE_IOERR }
            return FaultyFile.system(file).fails(.truncate) ? SQLITE_IOERR | (6 << 8) : methods.xTruncate(inner, bytes)
        }
        methods.xSync = { file, flags in
            guard let file, let (inner, methods) = FaultyFile.real(file) else { return SQLITE_IOERR }
            return FaultyFile.system(file).fails(.sync) ? SQLITE_IOERR | (4 << 8) : methods.xSync(inner, flags)
        }
        methods.xFileSize = { file, bytes in FaultyFile.real(file).map { $0.1.xFileSize($0.0, bytes) } ?? SQLITE_IOERR }
        methods.xLock = { file, level in FaultyFile.real(file).map { $0.1.xLock($0.0, level) } ?? SQLITE_IOERR }
        methods.xUnlock = { file, level in FaultyFile.real(file).map { $0.1.xUnlock($0.0, level) } ?? SQLITE_IOERR }
        methods.xCheckReservedLock = { file, out in
            FaultyFile.real(file).map { $0.1.xCheckReservedLock($0.0, out) } ?? SQLITE_IOERR
        }
        methods.xFileControl = { file, operation, argument in
            FaultyFile.real(file).map { $0.1.xFileControl($0.0, operation, argument) } ?? SQLITE_NOTFOUND
        }
        methods.xSectorSize = { file in FaultyFile.real(file).map { $0.1.xSectorSize($0.0) } ?? 4096 }
        methods.xDeviceCharacteristics = { file in FaultyFile.real(file).map { $0.1.xDeviceCharacteristics($0.0) } ?? 0
        }
        return methods
    }
}

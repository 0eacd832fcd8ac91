import Foundation

/// A file system of a few megabytes, to be full.
final class SmallDisk {
    let path: String
    private let directory: TemporaryDirectory

    init(megabytes: Int) throws {
        directory = try TemporaryDirectory()
        path = directory.path
        let mount = try ChildProcess("/bin/mount", ["-t", "tmpfs", "-o", "size=\(megabytes)m", "tmpfs", path])
        guard try mount.waitForExit() == 0 else { throw TestFailure("mount: \(mount.standardError)") }
    }

    deinit { _ = try? ChildProcess("/bin/umount", ["-l", path]).waitForExit() }

    /// Whether this process may mount one: it must be root, and not every container lets root.
    static let isPossible = geteuid() == 0 && (try? SmallDisk(megabytes: 1)) != nil
}

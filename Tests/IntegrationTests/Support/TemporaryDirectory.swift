import Foundation

/// A directory that is gone when the last user of this object is.
final class TemporaryDirectory: Sendable {
    let path: String

    init(in parent: String = FileManager.default.temporaryDirectory.path) throws {
        path = parent + "/beanspike-test-\(UUID())"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Bytes that the files in it take on disk.
    var diskBytes: Int {
        guard let files = FileManager.default.enumerator(atPath: path) else { return 0 }
        return files.compactMap { $0 as? String }.reduce(0) { sum, name in
            var status = stat()
            return sum + (stat(path + "/" + name, &status) == 0 ? Int(status.st_blocks) * 512 : 0)
        }
    }
}

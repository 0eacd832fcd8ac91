#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What is mounted where, as Linux tells it (proc(5), `/proc/pid/mountinfo`).
struct MountTable {
    private let kinds: [String: String]

    /// Reads lines such as `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw`.
    init(_ text: String) {
        var kinds: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count > 5, let dash = words.firstIndex(of: "-"), dash + 1 < words.count else { continue }
            // The last one that is mounted at a place hides the others.
            let place = String(words[4]).replacing("\\040", with: " ")
            kinds[place] = String(words[dash + 1])
        }
        self.kinds = kinds
    }

    /// The table of this process; nil where the system has none.
    static var current: MountTable? {
        let descriptor = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var text: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 16_384)
        while text.count < 1 << 20 {
            let count = read(descriptor, &part, part.count)
            guard count > 0 else { break }
            text += part.prefix(count)
        }
        return MountTable(String(decoding: text, as: UTF8.self))
    }

    /// The kind of file system that a file or a directory is on, such as `ext4`; nil if the place is not there.
    func fileSystem(of place: String) -> String? {
        guard let resolved = realpath(place, nil) else { return nil }
        defer { free(resolved) }
        return kind(ofResolved: String(cString: resolved))
    }

    /// The same of a path without links.
    func kind(ofResolved path: String) -> String? {
        var path = Substring(path)
        while true {
            if let kind = kinds[path.isEmpty ? "/" : String(path)] { return kind }
            guard let slash = path.lastIndex(of: "/") else { return nil }
            path = path[..<slash]
        }
    }
}

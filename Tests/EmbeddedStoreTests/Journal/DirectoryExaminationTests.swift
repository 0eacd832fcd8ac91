import BeanspikeCore
import Testing

@testable import EmbeddedStore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite("A directory is looked at, and left as it was")
struct DirectoryExaminationTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func find(_ path: String) -> [String: StoreFinding] {
        Dictionary(EmbeddedStore.examine(directory: path).map { ($0.subject, $0) }) { first, _ in first }
    }

    @Test("an empty one is good, and stays empty")
    func empty() {
        let findings = find(directory.path)
        #expect(findings.values.allSatisfy { $0.level < .refused })
        #expect(findings["journal"]?.state == "none")
        #expect(findings["sync"]?.level == .fine)
        #expect(findings["room"] != nil)
        #expect(TemporaryDirectory.names(in: directory.path).isEmpty)
    }

    @Test("who has the store open is told, and is not disturbed")
    func lock() async throws {
        let store = try EmbeddedStore.open(directory: directory.path)
        #expect(find(directory.path)["lock"]?.state == "held by pid \(getpid())")
        #expect(find(directory.path)["lock"]?.level == .fine)
        try await store.close()
        #expect(find(directory.path)["lock"]?.state == "free")
        #expect(find(directory.path)["journal"]?.state == "there")
        // What was looked at can be opened.
        try await EmbeddedStore.open(directory: directory.path).close()
    }

    @Test("one that is not there is made later, where it can be")
    func absent() {
        let findings = find(directory.path + "/data/")
        #expect(findings["directory"]?.level == .fine)
        #expect(findings["sync"]?.level == .fine)
        #expect(TemporaryDirectory.names(in: directory.path).isEmpty)
        let nowhere = find(directory.path + "/no/data")
        #expect(nowhere["directory"]?.level == .refused)
        #expect(nowhere["directory"]?.remedy?.commands == ["mkdir -p \(directory.path)/no"])
    }

    @Test("what is no store of ours is refused")
    func foreign() throws {
        for (name, content) in [("journal.sqlite", "hello"), ("binlog.1", ""), ("journal.sqlite-wal", "x")] {
            let path = directory.path + "/\(name)"
            let descriptor = open(path, O_WRONLY | O_CREAT, 0o600)
            try #require(descriptor >= 0)
            #expect(write(descriptor, content, content.utf8.count) == content.utf8.count)
            close(descriptor)
            #expect(find(directory.path)["journal"]?.level == .refused, "\(name)")
            #expect(find(path)["directory"]?.level == .refused, "a file is no directory")
            unlink(path)
        }
    }

    @Test("one that cannot be written to is refused")
    func readOnly() {
        // Not even root writes here.
        #expect(find("/proc")["writing"]?.level == .refused)
    }

    @Test(
        "the file system is the one that is mounted nearest",
        arguments: [
            ("/", "ext4"), ("/home/x", "ext4"), ("/dev/shm", "tmpfs"), ("/dev/shm/a/b", "tmpfs"), ("/dev/shmx", "ext4"),
            ("/with space/x", "nfs4"), ("/twice", "overlay"),
        ]
    )
    func mounts(path: String, kind: String) {
        let table = MountTable(
            """
            22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
            23 22 0:20 / /dev/shm rw,nosuid shared:2 - tmpfs tmpfs rw
            24 22 0:21 / /with\\040space rw - nfs4 host:/x rw
            25 22 0:22 / /twice rw - xfs /dev/sdb rw
            26 25 0:23 / /twice rw - overlay overlay rw
            27 22 nonsense
            - -
            """
        )
        #expect(table.kind(ofResolved: path) == kind)
        #expect(MountTable("").kind(ofResolved: path) == nil)
    }
}

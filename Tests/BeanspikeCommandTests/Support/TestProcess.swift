import Glibc

@testable import BeanspikeCommand

/// A process that a test starts, with no signal blocked or ignored.
///
/// Foundation's `Process` waits by a run loop, which loses the end of a child now and then when tests run in parallel.
final class TestProcess {
    /// How it ended: the exit status, or the negative number of the signal.
    private var status: Int32?
    let id: pid_t

    /// Starts a program; standard input, output and error are these descriptors, or `/dev/null`.
    init(_ path: String, _ arguments: [String], input: Int32? = nil, output: Int32? = nil, errors: Int32? = nil) throws
    {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (descriptor, target) in [(input, STDIN_FILENO), (output, STDOUT_FILENO), (errors, STDERR_FILENO)] {
            if let descriptor {
                posix_spawn_file_actions_adddup2(&actions, descriptor, target)
            } else {
                posix_spawn_file_actions_addopen(&actions, target, "/dev/null", O_RDWR, 0)
            }
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) }
        words.append(nil)
        defer { for word in words { free(word) } }
        var child: pid_t = 0
        let outcome = posix_spawn(&child, path, &actions, &attributes, words, environ)
        guard outcome == 0 else { throw CommandError.failed("\(path): \(String(cString: strerror(outcome)))") }
        id = child
    }

    deinit { end() }

    /// Whether it still runs.
    var isRunning: Bool {
        guard status == nil else { return false }
        var raw: Int32 = 0
        if waitpid(id, &raw, WNOHANG) == id { status = Self.status(of: raw) }
        return status == nil
    }

    /// Waits for its end.
    @discardableResult
    func wait() -> Int32 {
        if let status { return status }
        var raw: Int32 = 0
        while waitpid(id, &raw, 0) != id {}
        let status = Self.status(of: raw)
        self.status = status
        return status
    }

    /// Ends it, where it still runs, and waits for its end.
    func end() {
        guard isRunning else { return }
        kill(id, SIGKILL)
        wait()
    }

    private static func status(of raw: Int32) -> Int32 { raw & 0x7F == 0 ? raw >> 8 & 0xFF : -(raw & 0x7F) }
}

import Glibc

/// A command that runs for a job, in a process group of its own.
///
/// Of its own so that Ctrl-C, which a terminal sends to the whole foreground group, does not end the command but lets
/// it finish.
struct ChildProcess {
    let id: pid_t

    /// How a process ended.
    enum Ending: Equatable {
        case exited(Int32)
        case killed(signal: Int32)

        var isSuccess: Bool { self == .exited(0) }
        var text: String {
            switch self {
            case .exited(let status): "exit status \(status)"
            case .killed(let number): "signal \(number)"
            }
        }
    }

    /// Starts a command.
    ///
    /// - Parameters:
    ///   - command: the program, looked for in PATH, and its arguments.
    ///   - input: what it reads from standard input: a file in memory, so a command that reads nothing blocks nobody.
    ///   - environment: what is added to this process's environment.
    ///   - outputToError: whether its standard output is this process's standard error.
    /// - Throws: ``CommandError`` where it cannot be started.
    init(command: [String], input: [UInt8], environment: [(String, String)], outputToError: Bool) throws {
        let file = try Self.file(of: input)
        defer { close(file) }

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, file, STDIN_FILENO)
        if outputToError { posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        posix_spawnattr_setpgroup(&attributes, 0)

        let added = Set(environment.map(\.0))
        var variables: [String] = environment.map { "\($0.0)=\($0.1)" }
        var next = environ
        while let entry = next.pointee {
            let text = String(cString: entry)
            if !added.contains(String(text.prefix { $0 != "=" })) { variables.append(text) }
            next += 1
        }
        var child: pid_t = 0
        let outcome = Self.withCStrings(command) { arguments in
            Self.withCStrings(variables) { variables in
                posix_spawnp(&child, command[0], &actions, &attributes, arguments, variables)
            }
        }
        guard outcome == 0 else {
            throw CommandError.failed("Cannot run \(command[0]): \(String(cString: strerror(outcome))).")
        }
        id = child
    }

    /// How it ended, nil while it runs.
    func ending() -> Ending? {
        var status: Int32 = 0
        guard waitpid(id, &status, WNOHANG) == id else { return nil }
        let signal = status & 0x7F
        return signal == 0 ? .exited(status >> 8 & 0xFF) : .killed(signal: signal)
    }

    /// Sends a signal to the command and to what it has started.
    func send(signal: Int32) { kill(-id, signal) }

    /// A new file that has no name any more, in memory where the system has a place for that.
    private static func unnamedFile() -> Int32 {
        for folder in ["/dev/shm", "/tmp"] {
            var path = Array("\(folder)/beanspike-XXXXXX".utf8CString)
            let file = mkstemp(&path)
            if file >= 0 {
                unlink(path)
                _ = fcntl(file, F_SETFD, FD_CLOEXEC)
                return file
            }
        }
        return -1
    }

    /// A file with these bytes, read from its start.
    private static func file(of bytes: [UInt8]) throws -> Int32 {
        let file = unnamedFile()
        var isWritten = file >= 0
        bytes.withUnsafeBytes { whole in
            var rest = whole[...]
            while isWritten, !rest.isEmpty {
                let count = write(file, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count > 0 { rest = rest.dropFirst(count) } else if errno != EINTR { isWritten = false }
            }
        }
        guard isWritten, lseek(file, 0, SEEK_SET) == 0 else {
            let reason = String(cString: strerror(errno))
            if file >= 0 { close(file) }
            throw CommandError.failed("No memory for a job's body: \(reason).")
        }
        return file
    }

    private static func withCStrings<R>(
        _ strings: [String],
        _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> R
    ) -> R {
        var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
        pointers.append(nil)
        defer { for pointer in pointers { free(pointer) } }
        return body(pointers)
    }
}

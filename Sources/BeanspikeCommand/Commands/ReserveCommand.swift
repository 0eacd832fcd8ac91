import ArgumentParser
import BeanspikeCore
import Glibc

/// Takes jobs.
struct ReserveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reserve",
        abstract: "Take the next job: print it, and delete, bury or hold it.",
        discussion: """
            A reservation ends with the connection that made it, and this command's
            connection ends with the command. So say what shall become of the job once it
            is printed:

              (nothing)   it is ready again at once, for anybody (only its reserves count)
              --delete    it is done, for good
              --bury      it is set aside until somebody kicks it
              --hold      it stays ours, touched in time, while this command reads
                          standard input: a line "delete", "release [SECONDS]" or "bury"
                          decides; at the end of input, or Ctrl-C, it is ready again

            The body goes to standard output byte for byte, and the id to standard error;
            with --json both are one line on standard output, the body in Base64. To run a
            command for every job, use `work`.

            Examples:
              beanspike reserve --tube mails --timeout 0
              beanspike reserve --delete > job.bin
              beanspike reserve --delete --count 10 --json | jq -r '.body | @base64d'
              (process && echo delete) | beanspike reserve --hold
            """
    )

    @OptionGroup var options: ServerOptions

    @Option(name: .shortAndLong, help: "A tube to take from; may be repeated (default: default).")
    var tube: [TubeArgument] = []

    @Option(help: "Seconds to wait for a job, then exit 3 (default: for ever).")
    var timeout: UInt32?

    @Option(help: "How many jobs to take.")
    var count = 1

    @Flag(help: "Delete the job once it is printed.")
    var delete = false

    @Flag(help: "Bury the job once it is printed.")
    var bury = false

    @Flag(help: "Keep the job until a line on standard input decides.")
    var hold = false

    func validate() throws {
        if [delete, bury, hold].filter({ $0 }).count > 1 {
            throw ValidationError("A job is deleted, buried or held: give one of --delete, --bury and --hold.")
        }
        if count < 1 { throw ValidationError("--count is at least 1.") }
        if hold, count > 1 { throw ValidationError("--hold takes one job.") }
    }

    func run() throws {
        let connection = try BeanstalkConnection(to: options.address())
        try connection.watchOnly(tube.map(\.name))
        let printer = JobPrinter(isJSON: options.json)
        for _ in 0..<count {
            let reply = try connection.perform(
                timeout.map { "reserve-with-timeout \($0)" } ?? "reserve",
                expecting: "RESERVED",
                extraMilliseconds: timeout.map { Int64($0) * 1_000 }
            )
            guard let id = reply.number(at: 1), let body = reply.body else { continue }
            let statistics = try connection.statistics(ofJob: id)
            // Printed first: a job that was not seen must not be gone.
            printer.show(id: id, body: body, statistics: statistics)
            let priority = statistics.number("pri") ?? UInt64(Schedule.priorityDefault)
            if delete { try connection.perform("delete \(id)", expecting: "DELETED") }
            if bury { try connection.perform("bury \(id) \(priority)", expecting: "BURIED") }
            if hold {
                try HeldJob(id: id, priority: priority, ttrSeconds: statistics.number("ttr") ?? 1, connection).decide()
            }
        }
    }
}

/// A reserved job that is kept until a line of standard input says what shall become of it.
private struct HeldJob {
    let id: JobID
    let priority: UInt64
    let ttrSeconds: UInt64
    let connection: BeanstalkConnection

    init(id: JobID, priority: UInt64, ttrSeconds: UInt64, _ connection: BeanstalkConnection) {
        self.id = id
        self.priority = priority
        self.ttrSeconds = ttrSeconds
        self.connection = connection
    }

    func decide() throws {
        let touchMilliseconds = WorkTiming.touchInterval(ttrSeconds: ttrSeconds).milliseconds
        var typed: [UInt8] = []
        while true {
            var waiting = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            let ready = poll(&waiting, 1, Int32(clamping: touchMilliseconds))
            if ready == 0 {
                try connection.perform(
                    "touch \(id)",
                    expecting: "TOUCHED",
                    missing: "Job \(id) is no longer ours: it was deleted, or its time to run was over."
                )
                continue
            }
            if ready < 0 { continue }
            var byte: UInt8 = 0
            guard read(STDIN_FILENO, &byte, 1) == 1 else {
                Output.note("job \(id) is ready again")
                return
            }
            guard byte == UInt8(ascii: "\n") else {
                if typed.count < 256 { typed.append(byte) }
                continue
            }
            if try obey(String(decoding: typed, as: UTF8.self)) { return }
            typed = []
        }
    }

    /// Does what a line says; false where it says nothing that is known.
    private func obey(_ line: String) throws -> Bool {
        let words = line.split(separator: " ")
        switch (words.first, words.count) {
        case ("delete", 1):
            try connection.perform("delete \(id)", expecting: "DELETED")
        case ("bury", 1):
            try connection.perform("bury \(id) \(priority)", expecting: "BURIED")
        case ("release", 1):
            try connection.perform("release \(id) \(priority) 0", expecting: "RELEASED")
        case ("release", 2):
            guard let seconds = UInt32(words[1]) else { fallthrough }
            try connection.perform("release \(id) \(priority) \(seconds)", expecting: "RELEASED")
        default:
            Output.note("write delete, release, release SECONDS or bury")
            return false
        }
        return true
    }
}

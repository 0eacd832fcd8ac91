import BeanspikeCore
import BeanstalkProtocol
import NIOCore
import Testing

@Suite("Replies")
struct ReplyEncoderTests {
    private static let bodies = Array("..hello..".utf8)

    private static func job(_ id: JobID, _ body: ByteRange) -> JobView {
        JobView(id: id, body: body, priority: 1, ttrSeconds: 1, reserves: 1, attributes: nil)
    }

    private func text(_ reply: Reply, server: ServerStatistics = ServerStatistics()) -> String {
        var encoder = BeanstalkReplyEncoder()
        var buffer = ByteBuffer()
        encoder.encode(reply, bodies: Self.bodies, into: &buffer, server: { server })
        return String(buffer: buffer)
    }

    @Test(
        "Each reply's bytes",
        arguments: [
            (.inserted(1), "INSERTED 1\r\n"),
            (.inserted(10), "INSERTED 10\r\n"),
            (.inserted(.max), "INSERTED 18446744073709551615\r\n"),
            (.inserted(9_999_999_999_999_999_999), "INSERTED 9999999999999999999\r\n"),
            (.inserted(10_000_000_000_000_000_000), "INSERTED 10000000000000000000\r\n"),
            (.reserved(job(7, ByteRange(offset: 2, count: 5))), "RESERVED 7 5\r\nhello\r\n"),
            (.found(job(9, .empty)), "FOUND 9 0\r\n\r\n"),
            (.deleted, "DELETED\r\n"), (.released, "RELEASED\r\n"), (.buried, "BURIED\r\n"), (.touched, "TOUCHED\r\n"),
            (.kicked(0), "KICKED 0\r\n"), (.kickedJob, "KICKED\r\n"), (.notFound, "NOT_FOUND\r\n"),
            (.timedOut, "TIMED_OUT\r\n"), (.deadlineSoon, "DEADLINE_SOON\r\n"), (.using(.default), "USING default\r\n"),
            (.watching(3), "WATCHING 3\r\n"), (.notIgnored, "NOT_IGNORED\r\n"), (.paused, "PAUSED\r\n"),
            (.truncated(12), "TRUNCATED 12\r\n"), (.tubes([]), "OK 4\r\n---\n\r\n"),
            (.tubes([.default]), "OK 14\r\n---\n- default\n\r\n"),
            (.failed(JobStoreError(.outOfSpace, "")), "OUT_OF_MEMORY\r\n"),
            (.failed(JobStoreError(.limitReached, "")), "OUT_OF_MEMORY\r\n"),
            (.failed(JobStoreError(.writeFailed, "")), "INTERNAL_ERROR\r\n"),
        ] as [(Reply, String)]
    )
    func bytes(reply: Reply, expected: String) {
        #expect(text(reply) == expected)
    }

    @Test(
        "Each outcome's bytes",
        arguments: [
            (.badFormat, "BAD_FORMAT\r\n"), (.unknownCommand, "UNKNOWN_COMMAND\r\n"), (.jobTooBig, "JOB_TOO_BIG\r\n"),
            (.expectedCRLF, "EXPECTED_CRLF\r\n"), (.draining, "DRAINING\r\n"), (.quit, ""), (.flushTubeNext, ""),
            (
                .health(isHead: true, isDraining: false),
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: 2\r\n\r\n"
            ),
            (
                .health(isHead: false, isDraining: true),
                "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nConnection: close\r\n"
                    + "Content-Length: 8\r\n\r\ndraining"
            ),
        ] as [(LocalOutcome, String)]
    )
    func outcomes(outcome: LocalOutcome, expected: String) {
        var buffer = ByteBuffer()
        BeanstalkReplyEncoder.encode(outcome, into: &buffer)
        #expect(String(buffer: buffer) == expected)
    }

    @Test("stats-job has beanstalkd's keys in beanstalkd's order")
    func jobStatistics() {
        var life = JobLifecycle(priority: 1, delaySeconds: 2, ttrSeconds: 3, now: StoreInstant(microseconds: 0))
        life.reserves = 6
        life.timeouts = 7
        life.releases = 8
        life.buries = 9
        life.kicks = 10
        let reply = Reply.jobStatistics(
            JobStatistics(
                id: 11,
                tube: .default,
                lifecycle: life,
                ageSeconds: 4,
                timeLeftSeconds: 5,
                journalFile: 12,
                bodyBytes: 13,
                attributes: nil
            )
        )
        let yaml =
            "---\nid: 11\ntube: \"default\"\nstate: delayed\npri: 1\nage: 4\ndelay: 2\nttr: 3\ntime-left: 5\n"
            + "file: 12\nreserves: 6\ntimeouts: 7\nreleases: 8\nburies: 9\nkicks: 10\n"
        #expect(text(reply) == "OK \(yaml.utf8.count)\r\n\(yaml)\r\n")
    }

    @Test("stats-tube has beanstalkd's keys in beanstalkd's order")
    func tubeStatistics() {
        var jobs = JobCounts()
        jobs.urgent = 1
        jobs.ready = 2
        jobs.reserved = 3
        jobs.delayed = 4
        jobs.buried = 5
        jobs.total = 6
        jobs.deleted = 10
        let reply = Reply.tubeStatistics(
            TubeStatistics(
                name: .default,
                jobs: jobs,
                sessionsUsing: 7,
                sessionsWatching: 8,
                sessionsWaiting: 9,
                pauses: 11,
                pauseSeconds: 12,
                pauseLeftSeconds: 13
            )
        )
        let yaml =
            "---\nname: \"default\"\ncurrent-jobs-urgent: 1\ncurrent-jobs-ready: 2\ncurrent-jobs-reserved: 3\n"
            + "current-jobs-delayed: 4\ncurrent-jobs-buried: 5\ntotal-jobs: 6\ncurrent-using: 7\n"
            + "current-watching: 8\ncurrent-waiting: 9\ncmd-delete: 10\ncmd-pause-tube: 11\npause: 12\n"
            + "pause-time-left: 13\n"
        #expect(text(reply) == "OK \(yaml.utf8.count)\r\n\(yaml)\r\n")
    }

    @Test("stats has beanstalkd's keys in beanstalkd's order, texts quoted, numbers bare")
    func storeStatistics() throws {
        var store = StoreStatistics()
        store.jobs.urgent = 1
        store.jobs.ready = 2
        store.jobs.reserved = 3
        store.jobs.delayed = 4
        store.jobs.buried = 5
        store.jobs.total = 6
        store.timeouts = 7
        store.tubes = 8
        store.sessionsWaiting = 9
        store.journal.oldestIndex = 10
        store.journal.currentIndex = 11
        store.journal.recordsMigrated = 12
        store.journal.recordsWritten = 13
        store.journal.fileBytesMax = 14
        var server = ServerStatistics()
        server.bodyBytesMax = 65_535
        server.connections = 15
        server.producers = 16
        server.workers = 17
        server.connectionsTotal = 18
        server.processID = 19
        server.version = "v"
        server.userMicroseconds = 1_000_020
        server.systemMicroseconds = 999_999
        server.uptimeSeconds = 20
        server.isDraining = true
        server.id = "0123456789abcdef"
        server.hostname = "h"
        server.os = "#1 \"x\"\n\u{e9}"
        server.platform = "p"
        let commands = [
            "put", "peek", "peek-ready", "peek-delayed", "peek-buried", "reserve", "reserve-with-timeout", "delete",
            "release", "use", "watch", "ignore", "bury", "kick", "touch", "stats", "stats-job", "stats-tube",
            "list-tubes", "list-tube-used", "list-tubes-watched", "pause-tube",
        ]
        let yaml =
            "---\ncurrent-jobs-urgent: 1\ncurrent-jobs-ready: 2\ncurrent-jobs-reserved: 3\ncurrent-jobs-delayed: 4\n"
            + "current-jobs-buried: 5\n" + commands.map { "cmd-\($0): 0\n" }.joined()
            + "job-timeouts: 7\ntotal-jobs: 6\nmax-job-size: 65535\ncurrent-tubes: 8\ncurrent-connections: 15\n"
            + "current-producers: 16\ncurrent-workers: 17\ncurrent-waiting: 9\ntotal-connections: 18\npid: 19\n"
            + "version: \"v\"\nrusage-utime: 1.000020\nrusage-stime: 0.999999\nuptime: 20\n"
            + "binlog-oldest-index: 10\nbinlog-current-index: 11\nbinlog-records-migrated: 12\n"
            + "binlog-records-written: 13\nbinlog-max-size: 14\ndraining: true\nid: \"0123456789abcdef\"\n"
            + "hostname: \"h\"\nos: \"#1  x   \"\nplatform: \"p\"\n"
        #expect(text(.storeStatistics(store), server: server) == "OK \(yaml.utf8.count)\r\n\(yaml)\r\n")
    }
}

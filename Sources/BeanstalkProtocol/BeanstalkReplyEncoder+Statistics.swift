import BeanspikeCore
import NIOCore

/// The YAML of `stats`, `stats-tube`, `stats-job` and the lists: exactly beanstalkd 1.13's keys in their order
/// (prot.c, `STATS_FMT`, `STATS_TUBE_FMT`, `STATS_JOB_FMT`, `do_list_tubes`). Texts are quoted, `id` too, since
/// sixteen hexadecimal digits may look like a number.
extension BeanstalkReplyEncoder {
    /// The reply to `stats-job`.
    mutating func encode(_ job: JobStatistics, into buffer: inout ByteBuffer) {
        yaml.clear()
        yaml.writeStaticString("---\n")
        yaml.writeEntry("id", job.id)
        yaml.writeQuotedEntry("tube", job.tube.description)
        yaml.writeStaticString("state: ")
        yaml.writeString(job.lifecycle.state.word)
        yaml.writeStaticString("\n")
        yaml.writeEntry("pri", UInt64(job.lifecycle.priority))
        yaml.writeEntry("age", job.ageSeconds)
        yaml.writeEntry("delay", UInt64(job.lifecycle.delaySeconds))
        yaml.writeEntry("ttr", UInt64(job.lifecycle.ttrSeconds))
        yaml.writeEntry("time-left", job.timeLeftSeconds)
        yaml.writeEntry("file", job.journalFile)
        yaml.writeEntry("reserves", UInt64(job.lifecycle.reserves))
        yaml.writeEntry("timeouts", UInt64(job.lifecycle.timeouts))
        yaml.writeEntry("releases", UInt64(job.lifecycle.releases))
        yaml.writeEntry("buries", UInt64(job.lifecycle.buries))
        yaml.writeEntry("kicks", UInt64(job.lifecycle.kicks))
        finish(into: &buffer)
    }

    /// The reply to `stats-tube`.
    mutating func encode(_ tube: TubeStatistics, into buffer: inout ByteBuffer) {
        yaml.clear()
        yaml.writeStaticString("---\n")
        yaml.writeQuotedEntry("name", tube.name.description)
        yaml.writeEntry("current-jobs-urgent", tube.jobs.urgent)
        yaml.writeEntry("current-jobs-ready", tube.jobs.ready)
        yaml.writeEntry("current-jobs-reserved", tube.jobs.reserved)
        yaml.writeEntry("current-jobs-delayed", tube.jobs.delayed)
        yaml.writeEntry("current-jobs-buried", tube.jobs.buried)
        yaml.writeEntry("total-jobs", tube.jobs.total)
        yaml.writeEntry("current-using", tube.sessionsUsing)
        yaml.writeEntry("current-watching", tube.sessionsWatching)
        yaml.writeEntry("current-waiting", tube.sessionsWaiting)
        yaml.writeEntry("cmd-delete", tube.jobs.deleted)
        yaml.writeEntry("cmd-pause-tube", tube.pauses)
        yaml.writeEntry("pause", tube.pauseSeconds)
        yaml.writeEntry("pause-time-left", tube.pauseLeftSeconds)
        finish(into: &buffer)
    }

    /// The reply to `stats`.
    mutating func encode(_ store: StoreStatistics, _ server: ServerStatistics, into buffer: inout ByteBuffer) {
        yaml.clear()
        yaml.writeStaticString("---\n")
        yaml.writeEntry("current-jobs-urgent", store.jobs.urgent)
        yaml.writeEntry("current-jobs-ready", store.jobs.ready)
        yaml.writeEntry("current-jobs-reserved", store.jobs.reserved)
        yaml.writeEntry("current-jobs-delayed", store.jobs.delayed)
        yaml.writeEntry("current-jobs-buried", store.jobs.buried)
        for kind in CommandKind.allCases {
            if let key = kind.statisticsKey { yaml.writeEntry(key, server.commands[kind]) }
        }
        yaml.writeEntry("job-timeouts", store.timeouts)
        yaml.writeEntry("total-jobs", store.jobs.total)
        yaml.writeEntry("max-job-size", UInt64(server.bodyBytesMax))
        yaml.writeEntry("current-tubes", store.tubes)
        yaml.writeEntry("current-connections", server.connections)
        yaml.writeEntry("current-producers", server.producers)
        yaml.writeEntry("current-workers", server.workers)
        yaml.writeEntry("current-waiting", store.sessionsWaiting)
        yaml.writeEntry("total-connections", server.connectionsTotal)
        yaml.writeEntry("pid", UInt64(server.processID))
        yaml.writeQuotedEntry("version", server.version)
        yaml.writeSecondsEntry("rusage-utime", microseconds: server.userMicroseconds)
        yaml.writeSecondsEntry("rusage-stime", microseconds: server.systemMicroseconds)
        yaml.writeEntry("uptime", server.uptimeSeconds)
        yaml.writeEntry("binlog-oldest-index", store.journal.oldestIndex)
        yaml.writeEntry("binlog-current-index", store.journal.currentIndex)
        yaml.writeEntry("binlog-records-migrated", store.journal.recordsMigrated)
        yaml.writeEntry("binlog-records-written", store.journal.recordsWritten)
        yaml.writeEntry("binlog-max-size", store.journal.fileBytesMax)
        yaml.writeStaticString(server.isDraining ? "draining: true\n" : "draining: false\n")
        yaml.writeQuotedEntry("id", server.id)
        yaml.writeQuotedEntry("hostname", server.hostname)
        yaml.writeQuotedEntry("os", server.os)
        yaml.writeQuotedEntry("platform", server.platform)
        finish(into: &buffer)
    }

    /// The reply to `list-tubes` and `list-tubes-watched`.
    mutating func encode(_ names: [TubeName], into buffer: inout ByteBuffer) {
        yaml.clear()
        yaml.writeStaticString("---\n")
        for name in names {
            yaml.writeStaticString("- ")
            yaml.writeString(name.description)
            yaml.writeStaticString("\n")
        }
        finish(into: &buffer)
    }

    /// Writes what was gathered; its length leaves out the CRLF behind it.
    private mutating func finish(into buffer: inout ByteBuffer) {
        buffer.writeLine("OK ", UInt64(yaml.readableBytes))
        buffer.writeImmutableBuffer(yaml)
        buffer.writeStaticString("\r\n")
        // A list of a million tubes was an exception; do not keep its memory.
        if yaml.capacity > 65_536 { yaml = ByteBuffer() }
    }
}

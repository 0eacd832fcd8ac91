import BeanspikeCore

extension BeanstalkParser {
    /// Takes one command line.
    ///
    /// Commands are told apart by how the line starts, as in prot.c (`which_cmd`): "statsfoo" is a `stats` with
    /// something behind it, which is BAD_FORMAT, and "quitfoo" quits.
    @inline(__always)
    mutating func parse(_ line: CommandLine, isDraining: Bool, into batch: inout ParsedCommands) {
        var line = line
        if line.hasNUL { return batch.append(.badFormat) }
        let outcome: LocalOutcome?
        switch line.first {
        case UInt8(ascii: "p"): outcome = parseP(&line, &batch)
        case UInt8(ascii: "r"): outcome = parseR(&line, &batch)
        case UInt8(ascii: "d"): outcome = parseDelete(&line, &batch)
        case UInt8(ascii: "G"), UInt8(ascii: "H"): outcome = parseHealth(&line, isDraining)
        default: outcome = parseOther(&line, &batch)
        }
        if let outcome { batch.append(outcome) }
    }

    @inline(__always)
    private mutating func parseP(_ line: inout CommandLine, _ batch: inout ParsedCommands) -> LocalOutcome? {
        if line.starts(with: "put ") { return parsePut(&line, &batch) }
        if line.starts(with: "peek ") {
            guard let id = line.readLastUInt64() else { return .badFormat }
            batch.appendLong(.peek(id), as: .peek)
        } else if line.starts(with: "peek-ready") {
            guard line.isAtEnd else { return .badFormat }
            batch.appendLong(.peekNext(.ready), as: .peekReady)
        } else if line.starts(with: "peek-delayed") {
            guard line.isAtEnd else { return .badFormat }
            batch.appendLong(.peekNext(.delayed), as: .peekDelayed)
        } else if line.starts(with: "peek-buried") {
            guard line.isAtEnd else { return .badFormat }
            batch.appendLong(.peekNext(.buried), as: .peekBuried)
        } else if line.starts(with: "pause-tube") {
            // No space is asked for behind the word: "pause-tubefoo 1" pauses foo.
            guard let bytes = line.readTubeBytes(), let seconds = line.readLastUInt32() else { return .badFormat }
            batch.counts.count(.pauseTube)
            guard let name = TubeName(utf8: bytes) else { return .badFormat }
            batch.commands.append(.pause(name, seconds: seconds))
        } else {
            return .unknownCommand
        }
        return nil
    }

    @inline(__always)
    private mutating func parsePut(_ line: inout CommandLine, _ batch: inout ParsedCommands) -> LocalOutcome? {
        guard let priority = line.readUInt32(), let delaySeconds = line.readUInt32(),
            let ttrSeconds = line.readUInt32(), let bodyBytes = line.readUInt32()
        else { return .badFormat }
        batch.counts.count(.put)
        // The size is judged before what stands behind it.
        if Int(bodyBytes) > bodyBytesMax {
            throwAwayBody(Int(bodyBytes), because: .jobTooBig)
            return nil
        }
        guard line.isAtEnd else { return .badFormat }
        batch.isProducer = true
        expectBody(
            PutHeader(
                priority: priority,
                delaySeconds: delaySeconds,
                ttrSeconds: max(ttrSeconds, Limits.ttrSecondsMin),
                bodyBytes: Int(bodyBytes)
            )
        )
        return nil
    }

    @inline(__always)
    private mutating func parseR(_ line: inout CommandLine, _ batch: inout ParsedCommands) -> LocalOutcome? {
        if line.starts(with: "reserve-with-timeout ") {
            // What stands behind the number is not looked at.
            guard let seconds = line.readUInt32(), seconds <= UInt32(Int32.max) else { return .badFormat }
            batch.isWorker = true
            batch.mayWait = batch.mayWait || seconds > 0
            let wait: ReserveWait = seconds == 0 ? .none : .microseconds(Int64(seconds) * 1_000_000)
            batch.appendLong(.reserve(wait), as: .reserveWithTimeout)
        } else if line.starts(with: "reserve-job ") {
            guard let id = line.readLastUInt64() else { return .badFormat }
            batch.appendLong(.reserveJob(id), as: .reserveJob)
        } else if line.starts(with: "reserve") {
            guard line.isAtEnd else { return .badFormat }
            batch.isWorker = true
            batch.mayWait = true
            batch.appendLong(.reserve(.forever), as: .reserve)
        } else if line.starts(with: "release ") {
            guard let id = line.readUInt64(), let priority = line.readUInt32(),
                let delaySeconds = line.readLastUInt32()
            else { return .badFormat }
            batch.append(.release(id, priority: priority, delaySeconds: delaySeconds), as: .release)
        } else {
            return .unknownCommand
        }
        return nil
    }

    @inline(__always)
    private func parseDelete(_ line: inout CommandLine, _ batch: inout ParsedCommands) -> LocalOutcome? {
        guard line.starts(with: "delete ") else { return .unknownCommand }
        guard let id = line.readLastUInt64() else { return .badFormat }
        batch.append(.delete(id), as: .delete)
        return nil
    }

    @inline(never)
    private mutating func parseOther(_ line: inout CommandLine, _ batch: inout ParsedCommands) -> LocalOutcome? {
        switch line.first {
        case UInt8(ascii: "s"): return parseStatistics(&line, &batch)
        case UInt8(ascii: "l"): return parseList(&line, &batch)
        case UInt8(ascii: "q"):
            guard line.starts(with: "quit") else { return .unknownCommand }
            end()
            return .quit
        case UInt8(ascii: "b"), UInt8(ascii: "k"), UInt8(ascii: "t"): return parseJob(&line, &batch)
        case UInt8(ascii: "u"), UInt8(ascii: "w"), UInt8(ascii: "i"), UInt8(ascii: "f"):
            return parseTube(&line, &batch)
        default: return .unknownCommand
        }
    }

    private func parseJob(_ line: inout CommandLine, _ batch: inout ParsedCommands) -> LocalOutcome? {
        if line.starts(with: "bury ") {
            guard let id = line.readUInt64(), let priority = line.readLastUInt32() else { return .badFormat }
            batch.append(.bury(id, priority: priority), as: .bury)
        } else if line.starts(with: "kick ") {
            guard let bound = line.readKickBound() else { return .badFormat }
            batch.append(.kick(bound), as: .kick)
        } else if line.starts(with: "kick-job ") {
            guard let id = line.readLastUInt64() else { return .badFormat }
            batch.append(.kickJob(id), as: .kickJob)
        } else if line.starts(with: "touch ") {
            guard let id = line.readLastUInt64() else { return .badFormat }
            batch.append(.touch(id), as: .touch)
        } else if line.starts(with: "truncate ") {
            return parseTruncate(&line, &batch)
        } else {
            return .unknownCommand
        }
        return nil
    }

    private func parseStatistics(_ line: inout CommandLine, _ batch: inout ParsedCommands) -> LocalOutcome? {
        if line.starts(with: "stats-job ") {
            guard let id = line.readLastUInt64() else { return .badFormat }
            batch.appendLong(.jobStatistics(id), as: .statsJob)
        } else if line.starts(with: "stats-tube ") {
            guard let name = line.readLastTubeName() else { return .badFormat }
            batch.appendLong(.tubeStatistics(name), as: .statsTube)
        } else if line.starts(with: "stats") {
            guard line.isAtEnd else { return .badFormat }
            batch.appendLong(.storeStatistics, as: .stats)
        } else {
            return .unknownCommand
        }
        return nil
    }

    private func parseList(_ line: inout CommandLine, _ batch: inout ParsedCommands) -> LocalOutcome? {
        if line.starts(with: "list-tubes-watched") {
            guard line.isAtEnd else { return .badFormat }
            batch.appendLong(.tubesWatched, as: .listTubesWatched)
        } else if line.starts(with: "list-tube-used") {
            guard line.isAtEnd else { return .badFormat }
            batch.append(.tubeUsed, as: .listTubeUsed)
        } else if line.starts(with: "list-tubes") {
            guard line.isAtEnd else { return .badFormat }
            batch.appendLong(.tubes, as: .listTubes)
        } else {
            return .unknownCommand
        }
        return nil
    }

    private func parseTube(_ line: inout CommandLine, _ batch: inout ParsedCommands) -> LocalOutcome? {
        if line.starts(with: "use ") {
            guard let name = line.readLastTubeName() else { return .badFormat }
            batch.append(.use(name), as: .use)
        } else if line.starts(with: "watch ") {
            guard let name = line.readLastTubeName() else { return .badFormat }
            batch.append(.watch(name), as: .watch)
        } else if line.starts(with: "ignore ") {
            guard let name = line.readLastTubeName() else { return .badFormat }
            batch.append(.ignore(name), as: .ignore)
        } else if line.starts(with: "flush-tube ") {
            return parseFlush(&line, &batch)
        } else {
            return .unknownCommand
        }
        return nil
    }

    /// antikirra/beanstalkd's health check.
    @inline(never)
    private mutating func parseHealth(_ line: inout CommandLine, _ isDraining: Bool) -> LocalOutcome {
        let isHead = line.starts(with: "HEAD ")
        guard answersHealth, isHead || line.starts(with: "GET ") else { return .unknownCommand }
        end()
        return .health(isHead: isHead, isDraining: isDraining)
    }

    /// antikirra/beanstalkd's `truncate <tube>`.
    private func parseTruncate(_ line: inout CommandLine, _ batch: inout ParsedCommands) -> LocalOutcome? {
        guard let bytes = line.readTubeBytes(), line.isAtEnd, let name = TubeName(utf8: bytes) else {
            return .badFormat
        }
        batch.appendLong(.truncate(name), as: .truncate)
        return nil
    }

    /// tuberq/tuber's `flush-tube <tube>`: the same with another word in the reply.
    private func parseFlush(_ line: inout CommandLine, _ batch: inout ParsedCommands) -> LocalOutcome? {
        guard let name = line.readLastTubeName() else { return .badFormat }
        batch.append(.flushTubeNext)
        batch.appendLong(.truncate(name), as: .truncate)
        return nil
    }
}

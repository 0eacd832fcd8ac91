import Foundation
import Testing

/// Plays a transcript against a server.
final class TranscriptRunner {
    private let transcript: Transcript
    private let server: ServerProcess
    private var connections: [String: RawConnection] = [:]
    /// What `$name`s stand for.
    private var numbers: [String: String] = [:]
    /// What the transcript's ids stand for; nil where they are the jobs' own.
    private var ids: TranscriptIDs?

    /// A runner, for a server whose ids are those of the transcript, or else are told by it.
    init(_ transcript: Transcript, _ server: ServerProcess, idsAreNames: Bool = false) {
        self.transcript = transcript
        self.server = server
        if idsAreNames { ids = TranscriptIDs() }
    }

    /// Plays it to its end, or to the first reply that is not as written.
    func run() throws {
        var index = 0
        while index < transcript.steps.count {
            let (line, step) = transcript.steps[index]
            index += 1
            do {
                if case .send(let name, let first) = step {
                    var bytes = ids?.translate(sent: first) ?? first
                    while index < transcript.steps.count, case .send(name, let more) = transcript.steps[index].step {
                        bytes += ids?.translate(sent: more) ?? more
                        index += 1
                    }
                    try connection(name).send(bytes: substitute(bytes))
                } else {
                    try play(step)
                }
            } catch {
                throw TestFailure("\(transcript.name):\(line): \(error)")
            }
        }
    }

    private func play(_ step: Transcript.Step) throws {
        switch step {
        case .send: break
        case .expect(let name, let pattern):
            let line = try connection(name).readLineBytes()
            guard try matches(line, pattern) else { throw TestFailure("expected \(pattern), read \(Self.show(line))") }
        case .expectBody(let name, let patterns):
            let reply = try connection(name).readReply()
            guard reply.line.hasPrefix("OK "), let body = reply.body else {
                throw TestFailure("expected an OK reply, read \(reply.line)")
            }
            guard body.last == 0x0A, body.allSatisfy({ $0 < 0x80 }) else {
                throw TestFailure("not lines of ASCII: \(Self.show(body))")
            }
            let lines = body.dropLast().split(separator: 0x0A, omittingEmptySubsequences: false).map { Array($0) }
            for (line, pattern) in zip(lines, patterns) where try !matches(line, pattern) {
                throw TestFailure("expected \(pattern), read \(Self.show(line))")
            }
            guard lines.count == patterns.count else {
                throw TestFailure("expected \(patterns.count) lines, read \(lines.count):\n\(reply.text)")
            }
        case .close(let name): connections.removeValue(forKey: name)?.close()
        case .closeOutput(let name): try connection(name).closeOutput()
        case .expectClosed(let name):
            guard try connection(name).isClosedByServer() else { throw TestFailure("more came instead of the end") }
        case .drain:
            server.signal(SIGUSR1)
            try waitUntil("draining") { $0["draining"] == "true" }
        case .waitForWaiting(let count): try waitUntil("\(count) waiting") { $0["current-waiting"] == "\(count)" }
        case .waitForConnections(let count):
            try waitUntil("\(count) connections") { $0["current-connections"] == "\(count + 1)" }
        }
    }

    /// Asks for `stats` until they are as wanted.
    private func waitUntil(_ what: String, _ condition: (WireReply) -> Bool) throws {
        let asking = try server.connect()
        let deadline = Deadline(seconds: RawConnection.patienceSeconds)
        while try !condition(asking.ask("stats")) {
            guard !deadline.hasPassed else { throw TestFailure("never came: \(what)") }
            usleep(1_000)
        }
    }

    private func connection(_ name: String) throws -> RawConnection {
        if let known = connections[name] { return known }
        let new = try server.connect()
        connections[name] = new
        return new
    }

    // MARK: Patterns

    /// What is sent, with `$name`s replaced by their numbers.
    private func substitute(_ bytes: [UInt8]) throws -> [UInt8] {
        var result: [UInt8] = []
        var rest = bytes[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), rest.first == UInt8(ascii: "$") {
                result.append(rest.removeFirst())
            } else if byte == UInt8(ascii: "$") {
                let name = String(decoding: rest.prefix { Self.isName($0) }, as: UTF8.self)
                guard let number = numbers[name] else { throw TestFailure("$\(name) has no value yet") }
                rest = rest.dropFirst(name.utf8.count)
                result += Array(number.utf8)
            } else {
                result.append(byte)
            }
        }
        return result
    }

    /// Whether the line is as the pattern says; gives `$name`s that are new their values.
    private func matches(_ line: [UInt8], _ pattern: String) throws -> Bool {
        let pattern = try ids?.translate(expected: pattern, read: line) ?? pattern
        var line = line[...]
        var rest = try Transcript.expand(pattern)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), rest.first == UInt8(ascii: "$") {
                guard line.popFirst() == rest.removeFirst() else { return false }
            } else if byte == UInt8(ascii: "$") {
                let name = String(decoding: rest.prefix { Self.isName($0) }, as: UTF8.self)
                rest = rest.dropFirst(name.utf8.count)
                let digits = String(decoding: line.prefix { Self.isDigit($0) }, as: UTF8.self)
                guard !digits.isEmpty, numbers[name, default: digits] == digits else { return false }
                numbers[name] = digits
                line = line.dropFirst(digits.utf8.count)
            } else if byte == UInt8(ascii: "<"), let end = rest.firstIndex(of: UInt8(ascii: ">")) {
                let kind = String(decoding: rest[..<end], as: UTF8.self)
                rest = rest[(end + 1)...]
                switch kind {
                case "n", "float":
                    let count = line.prefix { Self.isDigit($0) || (kind == "float" && $0 == UInt8(ascii: ".")) }.count
                    guard count > 0 else { return false }
                    line = line.dropFirst(count)
                case "string":
                    guard let next = rest.first else { return !line.isEmpty }
                    guard let stop = line.lastIndex(of: next), stop > line.startIndex else { return false }
                    line = line[stop...]
                default: throw TestFailure("unknown placeholder <\(kind)>")
                }
            } else {
                guard line.popFirst() == byte else { return false }
            }
        }
        return line.isEmpty
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    private static func isName(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }
    private static func show(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self).debugDescription }
}

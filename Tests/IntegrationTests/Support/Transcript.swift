import Foundation

/// A conversation with a server, as a file says it: what clients send and what must come back, byte for byte.
///
/// The first lines start with `#` and say what the conversation shows. Then, one thing a line:
///
///     server: -z 10        more flags for the server (only at the top)
///     a> put 0 0 60 5      connection a sends this line and CRLF; lines sent in a row leave in one write
///     a< INSERTED $1       the next line that a reads is this, CRLF behind it
///     a| ---               a reads an `OK` reply whose body has this line; the lines that follow are the rest of it
///     a: close             a closes; also `half-close` (sends no more) and `closed` (the server closes a)
///     server: drain        SIGUSR1, and waits until it has worked; also `waiting N` (until N connections wait) and
///                          `connections N` (until N are open beside the one that asks)
///     [ours] a< …          only for our server; `[beanstalkd]` only for beanstalkd
///
/// In what is sent and read: `\r \n \0 \\ \$ \xHH` are bytes, `\c` at the end leaves out the CRLF, `{x*200}` is x 200
/// times. `$name` stands for a number: the first time it is read it takes its value, after that it is that value. In
/// what is read `<n>` is any number, `<float>` any with a point and `<string>` anything.
struct Transcript: Sendable {
    enum Step: Sendable, Equatable {
        case send(connection: String, [UInt8])
        case expect(connection: String, String)
        case expectBody(connection: String, [String])
        case close(connection: String)
        case closeOutput(connection: String)
        case expectClosed(connection: String)
        case drain
        case waitForWaiting(Int)
        case waitForConnections(Int)
    }

    var name: String
    var serverArguments: [String] = []
    var steps: [(line: Int, step: Step)] = []

    /// Every transcript beside this file's folder.
    static let all: [String] = {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.filter { $0.hasSuffix(".txt") }.sorted()
    }()

    private static let directory =
        ((#filePath as NSString).deletingLastPathComponent as NSString)
        .deletingLastPathComponent + "/Transcripts"

    /// Reads the file of that name, for a server of that flavor.
    init(named name: String, for flavor: ServerProgram.Flavor) throws {
        self.name = name
        let text = try String(contentsOfFile: Self.directory + "/" + name, encoding: .utf8)
        for (index, raw) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            var line = raw
            if line.isEmpty || line.hasPrefix("#") { continue }
            if line.hasPrefix("["), let end = line.firstIndex(of: "]") {
                let only = line[line.index(after: line.startIndex)..<end]
                guard ["ours", "beanstalkd"].contains(only) else { throw Self.failure(name, index, "who is \(only)?") }
                guard (only == "ours") == (flavor == .beanspike) else { continue }
                line = line[line.index(after: end)...].drop { $0 == " " }
            }
            try add(line, number: index + 1)
        }
    }

    private mutating func add(_ line: Substring, number: Int) throws {
        guard let mark = line.firstIndex(where: { ":><|".contains($0) }) else {
            throw Self.failure(name, number, "what is this: \(line)")
        }
        let who = String(line[..<mark])
        let rest = String(line[line.index(after: mark)...].dropFirst())
        switch (line[mark], who, rest) {
        case (">", _, _):
            let bytes = try Self.expand(rest, ending: [0x0D, 0x0A])
            steps.append((number, .send(connection: who, bytes)))
        case ("<", _, _): steps.append((number, .expect(connection: who, rest)))
        case ("|", _, _):
            if case .expectBody(who, let lines)? = steps.last?.step, rest != "---" {
                steps[steps.count - 1].step = .expectBody(connection: who, lines + [rest])
            } else {
                steps.append((number, .expectBody(connection: who, [rest])))
            }
        case (_, "server", "drain"): steps.append((number, .drain))
        case (_, "server", _):
            let words = rest.split(separator: " ").map(String.init)
            if words.count == 2, words[0] == "waiting", let count = Int(words[1]) {
                steps.append((number, .waitForWaiting(count)))
            } else if words.count == 2, words[0] == "connections", let count = Int(words[1]) {
                steps.append((number, .waitForConnections(count)))
            } else if steps.isEmpty {
                serverArguments += words
            } else {
                throw Self.failure(name, number, "what should the server do: \(rest)")
            }
        case (_, _, "close"): steps.append((number, .close(connection: who)))
        case (_, _, "half-close"): steps.append((number, .closeOutput(connection: who)))
        case (_, _, "closed"): steps.append((number, .expectClosed(connection: who)))
        default: throw Self.failure(name, number, "what is this: \(line)")
        }
    }

    /// The text's bytes: escapes and repetitions resolved, `$name` left in.
    static func expand(_ text: String, ending: [UInt8] = []) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\\"):
                switch rest.popFirst() {
                case UInt8(ascii: "r"): bytes.append(0x0D)
                case UInt8(ascii: "n"): bytes.append(0x0A)
                case UInt8(ascii: "0"): bytes.append(0)
                case UInt8(ascii: "\\"): bytes.append(UInt8(ascii: "\\"))
                case UInt8(ascii: "$"): bytes += Array("\\$".utf8)
                case UInt8(ascii: "c") where rest.isEmpty: return bytes
                case UInt8(ascii: "x"):
                    guard let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
                        throw TestFailure("bad escape in \(text)")
                    }
                    rest = rest.dropFirst(2)
                    bytes.append(value)
                default: throw TestFailure("bad escape in \(text)")
                }
            case UInt8(ascii: "{"):
                guard let star = rest.firstIndex(of: UInt8(ascii: "*")),
                    let end = rest.firstIndex(of: UInt8(ascii: "}")),
                    star < end, let count = Int(String(decoding: rest[(star + 1)..<end], as: UTF8.self))
                else { throw TestFailure("bad repetition in \(text)") }
                let unit = try expand(String(decoding: rest[..<star], as: UTF8.self))
                for _ in 0..<count { bytes += unit }
                rest = rest[(end + 1)...]
            default: bytes.append(byte)
            }
        }
        return bytes + ending
    }

    private static func failure(_ name: String, _ line: Int, _ what: String) -> TestFailure {
        TestFailure("\(name):\(line): \(what)")
    }
}

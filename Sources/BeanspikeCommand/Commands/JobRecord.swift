import BeanspikeCore
import FoundationEssentials

/// A job as a line of JSON, for `export` and `import`.
struct JobRecord: Equatable {
    var tube: TubeName
    var priority: UInt32
    /// Seconds until it may be reserved.
    var delay: UInt32
    var ttr: UInt32
    var isBuried: Bool
    var body: [UInt8]

    private struct Line: Decodable {
        var tube: String?
        var priority: UInt32?
        var delay: UInt32?
        var ttr: UInt32?
        var state: String?
        var body: String
    }

    /// Reads a line; what it does not say is as `beanspike put` has it.
    ///
    /// - Throws: ``CommandError`` that says what is wrong with the line.
    init(line: [UInt8]) throws {
        let decoded: Line
        do {
            decoded = try JSONDecoder().decode(Line.self, from: Data(line))
        } catch let error as DecodingError {
            throw CommandError.failed(Self.text(of: error))
        }
        guard let tube = TubeName(decoded.tube ?? "default") else {
            throw CommandError.failed("\(decoded.tube ?? "") is no name of a tube")
        }
        guard let body = Base64.decode(decoded.body) else {
            throw CommandError.failed("its body is no Base64")
        }
        let state = decoded.state ?? "ready"
        guard ["ready", "delayed", "reserved", "buried"].contains(state) else {
            throw CommandError.failed("\(state) is no state of a job")
        }
        self.tube = tube
        self.body = body
        priority = decoded.priority ?? Schedule.priorityDefault
        delay = decoded.delay ?? 0
        ttr = decoded.ttr ?? Schedule.ttrSecondsDefault
        isBuried = state == "buried"
    }

    private static func text(of error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, _): "it has no \(key.stringValue)"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "its \(context.codingPath.last?.stringValue ?? "value") is of the wrong kind"
        default: "it is no JSON object, or a number in it is out of range"
        }
    }

    /// The line of a job, from what the server tells of it.
    static func line(id: JobID, body: [UInt8], _ statistics: StatisticsTable) -> String {
        let state = statistics["state"] ?? "ready"
        let number = { (key: String) in JSONValue.unsigned(statistics.number(key) ?? 0) }
        return JSONValue.object([
            ("id", .unsigned(id)),
            ("tube", .string(statistics["tube"] ?? "default")),
            ("state", .string(state)),
            ("priority", number("pri")),
            ("delay", state == "delayed" ? number("time-left") : .unsigned(0)),
            ("ttr", number("ttr")),
            ("reserves", number("reserves")),
            ("body", .string(Base64.encode(body))),
        ]).text
    }
}

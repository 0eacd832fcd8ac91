import BeanspikeCore
import Glibc

/// Prints a job: its body to standard output as it is, and what is known of it to standard error; or both as JSON.
struct JobPrinter {
    let isJSON: Bool

    func show(id: JobID, body: [UInt8], statistics: StatisticsTable?) {
        if isJSON {
            var members: [(String, JSONValue)] = [("id", .unsigned(UInt64(id)))]
            if let statistics {
                members += [
                    ("tube", .string(statistics["tube"] ?? "")),
                    ("state", .string(statistics["state"] ?? "")),
                ]
                for (name, key) in [
                    ("priority", "pri"), ("ttr", "ttr"), ("reserves", "reserves"), ("age", "age"),
                ] {
                    members.append((name, statistics.number(key).map { .unsigned($0) } ?? .null))
                }
            }
            members.append(("body", .string(Base64.encode(body))))
            Output.line(JSONValue.object(members).text)
            return
        }
        let tube = statistics?["tube"].map { " of tube \($0)" } ?? ""
        Output.note("job \(id)\(tube), \(body.count) bytes")
        Output.bytes(body)
        // A terminal is no data: there the next prompt shall begin on a line of its own.
        if isatty(STDOUT_FILENO) == 1, body.last != UInt8(ascii: "\n") { Output.line("") }
    }
}

/// The `key: value` lines of a `stats` reply, in the server's order.
struct StatisticsTable: Equatable {
    struct Entry: Equatable {
        let key: String
        let value: String
        /// Whether the server quoted the value, and so means text.
        let isQuoted: Bool
    }

    let entries: [Entry]

    /// Reads the body of an `OK` reply; lines that are no entries are left out.
    init(_ body: [UInt8]) {
        entries = String(decoding: body, as: UTF8.self).split(separator: "\n").compactMap { line in
            guard let colon = line.firstIndex(of: ":"), colon != line.startIndex else { return nil }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            let isQuoted = value.count >= 2 && value.first == "\"" && value.last == "\""
            return Entry(
                key: String(line[..<colon]),
                value: String(isQuoted ? value.dropFirst().dropLast() : value),
                isQuoted: isQuoted
            )
        }
    }

    /// The value of a key.
    subscript(key: String) -> String? { entries.first { $0.key == key }?.value }

    /// The value of a key as a number.
    func number(_ key: String) -> UInt64? { self[key].flatMap { UInt64($0) } }

    /// The table as a JSON object: what is a number stays one.
    var json: JSONValue {
        .object(
            entries.map { entry in
                if !entry.isQuoted {
                    if let value = UInt64(entry.value) { return (entry.key, .unsigned(value)) }
                    if let value = Double(entry.value), value.isFinite { return (entry.key, .number(value)) }
                    if entry.value == "true" || entry.value == "false" {
                        return (entry.key, .bool(entry.value == "true"))
                    }
                }
                return (entry.key, .string(entry.value))
            }
        )
    }

    /// The table as lines for people.
    var lines: [String] { entries.map { "\($0.key): \($0.value)" } }
}

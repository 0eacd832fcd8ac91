/// Names and values in the text of an answer, such as `name=value;name=value`.
package struct InfoPairs: Sendable, Hashable {
    /// The values by their names; of those that come twice the last.
    package let values: [String: String]

    /// Reads an answer; what has no equals sign is passed over.
    package init(_ text: some StringProtocol, separator: Character = ";") {
        var values: [String: String] = [:]
        for part in text.split(separator: separator) {
            guard let equals = part.firstIndex(of: "=") else { continue }
            values[String(part[..<equals])] = String(part[part.index(after: equals)...])
        }
        self.values = values
    }

    package subscript(name: String) -> String? { values[name] }
}

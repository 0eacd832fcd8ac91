/// What the server answered: a line, and a body where the line announces one.
struct WireReply: Equatable {
    var line: String
    var body: [UInt8]?

    init(line: String, body: [UInt8]? = nil) {
        self.line = line
        self.body = body
    }

    /// The number behind the word, where the line starts with that word.
    func id(after word: String) -> UInt64? {
        let words = line.split(separator: " ")
        guard words.count >= 2, words[0] == word else { return nil }
        return UInt64(words[1])
    }

    /// The body as text.
    var text: String { String(decoding: body ?? [], as: UTF8.self) }

    /// The body's `key: value` lines, in order, quotes taken off.
    var pairs: [(key: String, value: String)] {
        text.split(separator: "\n").compactMap { line in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            let value = line[line.index(after: colon)...].drop(while: { $0 == " " })
            return (String(line[..<colon]), value.filter { $0 != "\"" })
        }
    }

    /// The value of one key.
    subscript(key: String) -> String? { pairs.first { $0.key == key }?.value }
}

/// The source of a program in Lua, of which a node knows only how its blocks begin and end.
struct ProgramSource {
    let text: String

    /// The line where something is wrong with the blocks; nil if each that begins ends.
    var lineOfError: Int? {
        var depth = 0
        var line = 1
        for word in words {
            switch word.text {
            case "function", "if", "do", "repeat": depth += 1
            case "end", "until": depth -= 1
            default: break
            }
            line = word.line
            if depth < 0 { return line }
        }
        return depth == 0 ? nil : line
    }

    /// The words that are neither in comments nor in strings.
    private var words: [(text: String, line: Int)] {
        var words: [(text: String, line: Int)] = []
        var rest = Substring(text)
        var line = 1
        while let character = rest.first {
            if rest.hasPrefix("--[[") || rest.hasPrefix("[[") {
                let end = rest.firstRange(of: "]]")?.upperBound ?? rest.endIndex
                line += rest[..<end].count { $0 == "\n" }
                rest = rest[end...]
            } else if rest.hasPrefix("--") {
                rest = rest[(rest.firstIndex(of: "\n") ?? rest.endIndex)...]
            } else if character == "\"" || character == "'" {
                rest = ProgramSource.skipString(rest, quote: character)
            } else if character.isLetter || character == "_" {
                let word = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
                words.append((String(word), line))
                rest = rest[word.endIndex...]
            } else {
                line += character == "\n" ? 1 : 0
                rest.removeFirst()
            }
        }
        return words
    }

    private static func skipString(_ text: Substring, quote: Character) -> Substring {
        var rest = text.dropFirst()
        while let character = rest.popFirst(), character != quote {
            if character == "\\" {
                _ = rest.popFirst()
            }
        }
        return rest
    }
}

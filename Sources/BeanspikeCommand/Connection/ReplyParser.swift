import BeanspikeCore

/// One reply of a server: its line in words, and its body where it carries one.
struct Reply: Equatable {
    /// The words of the line; never empty, the first is the reply's name.
    let words: [String]
    /// The bytes after the line, without their closing CRLF; nil where the reply has none.
    let body: [UInt8]?

    /// The reply's name, `INSERTED` for one.
    var name: String { words[0] }
    /// The number at this place of the line, the name being at 0.
    func number(at index: Int) -> UInt64? { index < words.count ? UInt64(words[index]) : nil }
    /// The line as it came.
    var line: String { words.joined(separator: " ") }
}

/// Why bytes are no replies of the protocol.
enum ReplyError: Error, Equatable {
    /// No line's end within ``ReplyParser/lineBytesMax`` bytes.
    case lineTooLong
    /// An empty line, bytes that are not ASCII, or a body's length that is no number.
    case malformedLine
    /// A body longer than ``BeanspikeCore/Limits/bodyBytesMaxCeiling``.
    case bodyTooLong
    /// A body that does not end in CRLF.
    case bodyWithoutEnd
}

/// Turns bytes into replies, in whatever pieces they come; it believes nothing that the peer says about sizes.
///
/// After it has thrown once the stream means nothing any more, and it throws the same again.
struct ReplyParser {
    /// The longest line taken; the longest that a server has reason to send is `USING` and a tube's name.
    static let lineBytesMax = 512

    private enum State {
        case line
        case body(words: [String], bytes: Int)
        case broken(ReplyError)
    }

    private var state = State.line
    private var buffer: [UInt8] = []
    /// What has been taken off the buffer's front already.
    private var start = 0
    /// Where to look on for a line's end, so that no byte is looked at twice.
    private var searched = 0

    /// Takes what has arrived.
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        if start > 0, start == buffer.count || start > 65_536 {
            buffer.removeFirst(start)
            searched -= start
            start = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// The next whole reply, or nil until more has arrived.
    mutating func next() throws(ReplyError) -> Reply? {
        if case .broken(let error) = state { throw error }
        do {
            return try step()
        } catch {
            state = .broken(error)
            buffer = []
            start = 0
            throw error
        }
    }

    private mutating func step() throws(ReplyError) -> Reply? {
        if case .line = state {
            guard let words = try takeLine() else { return nil }
            guard let bytes = try Self.bodyBytes(after: words) else { return Reply(words: words, body: nil) }
            state = .body(words: words, bytes: bytes)
        }
        guard case .body(let words, let bytes) = state, buffer.count - start >= bytes + 2 else { return nil }
        let end = start + bytes
        guard buffer[end] == UInt8(ascii: "\r"), buffer[end + 1] == UInt8(ascii: "\n") else {
            throw .bodyWithoutEnd
        }
        let body = Array(buffer[start..<end])
        start = end + 2
        searched = start
        state = .line
        return Reply(words: words, body: body)
    }

    private mutating func takeLine() throws(ReplyError) -> [String]? {
        let limit = min(buffer.count, start + Self.lineBytesMax)
        guard let newline = buffer[searched..<limit].firstIndex(of: UInt8(ascii: "\n")) else {
            searched = limit
            if buffer.count - start >= Self.lineBytesMax { throw .lineTooLong }
            return nil
        }
        var line = buffer[start..<newline]
        start = newline + 1
        searched = start
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        guard line.allSatisfy({ (0x20...0x7E).contains($0) }) else { throw .malformedLine }
        let words = line.split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
        guard !words.isEmpty else { throw .malformedLine }
        return words
    }

    /// How long the body after this line is, nil where it has none.
    private static func bodyBytes(after words: [String]) throws(ReplyError) -> Int? {
        let place: Int
        switch words[0] {
        case "OK": place = 1
        case "RESERVED", "FOUND": place = 2
        default: return nil
        }
        guard words.count == place + 1, words[place].utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw .malformedLine
        }
        if place == 2, UInt64(words[1]) == nil { throw .malformedLine }
        guard let bytes = Int(words[place]), bytes <= Limits.bodyBytesMaxCeiling else { throw .bodyTooLong }
        return bytes
    }
}

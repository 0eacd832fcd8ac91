/// A job's metadata as a store keeps it: the producer's text and, where there is one, the context of a trace.
///
/// Without a context it is the text's UTF-8 as it is. With one it is an envelope: a byte 0, a version byte 1, and then names
/// and values in turn, each as a length of two bytes (big endian) and UTF-8; the text is the value of the empty name.
struct JobMetadata: Equatable, Sendable {
    /// What the producer gave.
    var text: String
    /// What the instruments of tracing gave, such as `traceparent`.
    var context: [String: String] = [:]

    private static let marker: [UInt8] = [0, 1]

    init(text: String, context: [String: String] = [:]) {
        self.text = text
        self.context = context
    }

    /// As bytes; a context that does not fit into an envelope is left out.
    var encoded: [UInt8] {
        // Bytes that look like an envelope are put into one.
        guard !context.isEmpty || text.utf8.first == 0 else { return Array(text.utf8) }
        var bytes = Self.marker
        Self.append("", text, to: &bytes)
        for (name, value) in context.sorted(by: { $0.key < $1.key }) where !name.isEmpty {
            Self.append(name, value, to: &bytes)
        }
        return bytes
    }

    /// From bytes; any may be given, and what is no envelope is the text.
    init(_ bytes: [UInt8]) {
        guard bytes.starts(with: Self.marker), let fields = Self.fields(bytes[Self.marker.count...]) else {
            self.init(text: String(decoding: bytes, as: UTF8.self))
            return
        }
        self.init(text: fields[""] ?? "", context: fields.filter { !$0.key.isEmpty })
    }

    private static func append(_ name: String, _ value: String, to bytes: inout [UInt8]) {
        // Longer ones than a store takes are refused by it, with the limit's name.
        guard name.utf8.count <= UInt16.max, value.utf8.count <= UInt16.max else { return }
        for part in [name, value] {
            bytes.append(UInt8(part.utf8.count >> 8))
            bytes.append(UInt8(part.utf8.count & 255))
            bytes.append(contentsOf: part.utf8)
        }
    }

    private static func fields(_ bytes: ArraySlice<UInt8>) -> [String: String]? {
        var rest = bytes
        var parts: [String] = []
        while !rest.isEmpty {
            guard let high = rest.popFirst(), let low = rest.popFirst() else { return nil }
            let count = Int(high) << 8 | Int(low)
            guard count <= rest.count else { return nil }
            parts.append(String(decoding: rest.prefix(count), as: UTF8.self))
            rest = rest.dropFirst(count)
        }
        guard parts.count.isMultiple(of: 2) else { return nil }
        var fields: [String: String] = [:]
        for index in stride(from: 0, to: parts.count, by: 2) { fields[parts[index]] = parts[index + 1] }
        return fields
    }
}

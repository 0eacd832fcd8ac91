import Aerospike
package import NIOCore

/// One line of an info request: `name/part/…:key=value;…` (aerospike-server 8.1, base/thr_info.c, `parse_cmd`).
package struct InfoRequest: Sendable, Hashable {
    /// The line as it was sent, which the answer begins with.
    package let text: String
    /// The name.
    package let name: String
    /// What follows the name and the character behind it.
    package let rest: String

    /// Takes a line apart.
    package init(_ text: String) {
        self.text = text
        let end = text.firstIndex { "/:;".contains($0) }
        name = String(text[..<(end ?? text.endIndex)])
        rest = end.map { String(text[text.index(after: $0)...]) } ?? ""
    }

    /// The lines of a request; what has no end of line is left out, as a server does.
    package static func commands(in body: ByteBuffer) -> [String] {
        let text = String(decoding: body.readableBytesView, as: UTF8.self)
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        lines.removeLast()
        return lines
    }

    /// The value of a key; nil if it is not there.
    package subscript(_ keys: String...) -> String? {
        for part in rest.split(separator: ";") {
            guard let equals = part.firstIndex(of: "=") else { continue }
            if keys.contains(String(part[..<equals])) {
                return String(part[part.index(after: equals)...])
            }
        }
        return nil
    }
}

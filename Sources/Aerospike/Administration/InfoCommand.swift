/// A command in the text of an info request, such as `truncate:namespace=test;set=people`.
package struct InfoCommand: Sendable, Hashable {
    /// The line that is sent.
    package private(set) var text: String

    /// A command.
    ///
    /// - Parameters:
    ///   - name: what is to be done.
    ///   - parameters: names and values; those without a value are left out.
    /// - Throws: ``AerospikeError`` with ``ResultCode/invalidArgument`` for a value that would end before its end.
    package init(_ name: String, _ parameters: KeyValuePairs<String, String?> = [:]) throws(AerospikeError) {
        text = name
        var separator = ":"
        for case (let key, let value?) in parameters {
            // The first equals sign ends the key, so Base64 may have more of them.
            try InfoCommand.check(value, of: key)
            text += "\(separator)\(key)=\(value)"
            separator = ";"
        }
    }

    /// A command whose values have no names, such as `sindex/test/ages`.
    package init(_ name: String, path: [String]) throws(AerospikeError) {
        for part in path {
            try InfoCommand.check(part, of: name)
            guard !part.utf8.contains(UInt8(ascii: "/")) else {
                throw .invalid("'\(part)' has a character that ends it in a command to servers before 8.1.")
            }
        }
        text = ([name] + path).joined(separator: "/")
    }

    private static let separators = Set(";:\t\n\r\0".utf8)

    private static func check(_ value: String, of key: String) throws(AerospikeError) {
        guard !value.isEmpty else { throw .invalid("The \(key) of a command is empty.") }
        guard !value.utf8.contains(where: separators.contains) else {
            throw .invalid(
                "The \(key) of a command has no semicolons, colons, tabs, line ends or zeros, as \(value.debugDescription) has."
            )
        }
    }

    /// What a node answered, out of the names and values of its reply.
    package func answer(in values: [String: String]) throws(AerospikeError) -> String {
        guard let answer = values[text] else { throw .malformed("no answer to '\(text.prefix(100))'") }
        return answer
    }

    /// The answer, unless it is an error.
    ///
    /// - Throws: the error that it is, as an ``AerospikeError``.
    package func value(in values: [String: String]) throws(AerospikeError) -> String {
        let answer = try answer(in: values)
        if let error = InfoMessage.error(in: answer) {
            throw error
        }
        return answer
    }

    /// Makes sure that the answer is that the command was carried out.
    ///
    /// - Throws: the error that it is, as an ``AerospikeError``.
    package func expectDone(in values: [String: String]) throws(AerospikeError) {
        let answer = try value(in: values)
        guard answer.lowercased() == "ok" else {
            throw AerospikeError(.server, "The server says: \(answer).")
        }
    }
}

/// A module of functions in Lua that a cluster keeps, and runs on records.
public struct FunctionModule: Sendable, Hashable {
    /// The file's name, such as `people.lua`; functions are called by it without the extension.
    public var name: String
    /// What the cluster's nodes tell apart two contents by, in hexadecimal.
    public var hash: String

    package init(name: String, hash: String) {
        self.name = name
        self.hash = hash
    }

    /// The longest module, in bytes (aerospike-server 8.1, base/udf_cask.c, `MAX_UDF_CONTENT_LENGTH`).
    static let bytesMax = 1024 * 1024
}

extension FunctionModule {
    /// The command that gives a cluster a module (aerospike-server 8.1, base/udf_cask.c).
    package static func registerCommand(_ name: String, content: [UInt8]) throws(AerospikeError) -> InfoCommand {
        let parts = name.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, !name.utf8.contains(UInt8(ascii: "/")) else {
            throw .invalid("A module's name is that of a file with an extension, such as people.lua, not '\(name)'.")
        }
        guard (1...bytesMax).contains(content.count) else {
            throw .invalid("A module has 1 to \(bytesMax) bytes, not \(content.count).")
        }
        let text = Base64.encode(content)
        return try InfoCommand(
            "udf-put",
            ["filename": name, "content": text, "content-len": "\(text.utf8.count)", "udf-type": "LUA"]
        )
    }

    package static func listCommand() throws(AerospikeError) -> InfoCommand { try InfoCommand("udf-list") }

    package static func contentCommand(_ name: String) throws(AerospikeError) -> InfoCommand {
        try InfoCommand("udf-get", ["filename": name])
    }

    package static func removeCommand(_ name: String) throws(AerospikeError) -> InfoCommand {
        try InfoCommand("udf-remove", ["filename": name])
    }

    /// Reads the answer to the list: `filename=…,hash=…,type=LUA;…`.
    package static func parseList(_ text: String) throws(AerospikeError) -> [FunctionModule] {
        var modules: [FunctionModule] = []
        for part in text.split(separator: ";") {
            let pairs = InfoPairs(part, separator: ",")
            guard let name = pairs["filename"], let hash = pairs["hash"] else {
                throw .malformed("a module without a name and a hash")
            }
            modules.append(FunctionModule(name: name, hash: hash))
        }
        return modules
    }

    /// Reads the answer to a request for a module's content: `type=LUA;content=…;`.
    package static func parseContent(_ text: String) throws(AerospikeError) -> [UInt8] {
        try check(text)
        guard let content = InfoPairs(text)["content"].flatMap({ Base64.decode($0) }) else {
            throw .malformed("a module without its content")
        }
        return content
    }

    /// Throws the error that an answer about modules is, if it is one: they have a form of their own.
    package static func check(_ text: String) throws(AerospikeError) {
        if let error = InfoMessage.error(in: text) {
            throw error
        }
        let pairs = InfoPairs(text)
        switch pairs["error"] {
        case nil: return
        case "not_found": throw AerospikeError(.notFound, "There is no such module.")
        case "timeout":
            throw AerospikeError(.timeout, "The cluster did not agree on the module in time.", inDoubt: true)
        case "compile_error":
            let message = pairs["message"].flatMap { Base64.decode($0) } ?? []
            throw AerospikeError(
                .udfExecution,
                "The module does not compile: \(pairs["file"] ?? ""), line \(pairs["line"] ?? "?"): "
                    + String(decoding: message, as: UTF8.self) + "."
            )
        case let word?: throw AerospikeError(.invalidRequest, "The server says: \(word).")
        }
    }
}

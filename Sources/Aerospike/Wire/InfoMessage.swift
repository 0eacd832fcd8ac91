package import NIOCore

/// The protocol of names and values in text: what a node tells about itself (aerospike-server 8.1, base/thr_info.c).
package enum InfoMessage {
    /// Writes a request for the values of some names; of none, for all that the node deems useful.
    ///
    /// - Throws: ``AerospikeError`` with ``ResultCode/invalidArgument`` if a name holds a line's end.
    package static func write(
        _ names: [String],
        into buffer: inout ByteBuffer
    ) throws(AerospikeError) {
        for name in names where name.utf8.contains(UInt8(ascii: "\n")) {
            throw .invalid("An info request's name is one line, not '\(name)'.")
        }
        let start = buffer.writerIndex
        buffer.writeInteger(UInt64(0))
        for name in names {
            buffer.writeString(name)
            buffer.writeInteger(UInt8(ascii: "\n"))
        }
        let body = buffer.writerIndex - start - ProtoHeader.byteCount
        buffer.setInteger(ProtoHeader(kind: .info, bodyByteCount: body).word, at: start)
    }

    /// Reads the body of a reply: a name, a tab and a value a line.
    ///
    /// - Throws: ``AerospikeError`` with ``ResultCode/malformedReply`` if it is not UTF-8, or with the code that says that
    ///   the connection is nobody's any more.
    package static func parse(_ body: ByteBuffer) throws(AerospikeError) -> [String: String] {
        guard let text = String(validating: body.readableBytesView, as: UTF8.self) else {
            throw .malformed("an info reply that is not UTF-8")
        }
        var values: [String: String] = [:]
        for line in text.split(separator: "\n", omittingEmptySubsequences: true) {
            let parts = line.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false)
            // A node that answers nobody may leave the names out.
            if let last = parts.last, let error = error(in: String(last)), error.code.tellsOfEndedSession {
                throw error
            }
            values[String(parts[0])] = parts.count > 1 ? String(parts[1]) : ""
        }
        return values
    }

    /// The error that a value is, if it is one.
    ///
    /// The forms are `ERROR:code:message`, `FAIL:code:message` and the same without a code or message.
    package static func error(in value: String) -> AerospikeError? {
        let parts = value.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard let head = parts.first?.uppercased(), head == "ERROR" || head == "FAIL" else { return nil }
        let code = parts.count > 1 ? Int(parts[1]) : nil
        let message = parts.count > 2 ? String(parts[2]) : parts.dropFirst().joined(separator: ":")
        return AerospikeError(
            code.map(ResultCode.init(rawValue:)) ?? .server,
            message.isEmpty ? nil : "The server says: \(message)."
        )
    }
}

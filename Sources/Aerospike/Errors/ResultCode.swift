/// What a call came to: a code of the server, or (below zero) of the client itself.
///
/// The set is open: a server newer than this client may answer a code that it has no name for. The numbers of the
/// server are those of aerospike-server 8.1, base/proto.h; those below zero are close to aerospike-client-c 7.5,
/// as_status.h.
public struct ResultCode: Sendable, Hashable, RawRepresentable {
    /// The number: one byte from a server, or below zero.
    public let rawValue: Int

    /// The code of that number, whether it has a name or not.
    public init(rawValue: Int) {
        self.rawValue = rawValue
    }

    /// The name by which people know the code, such as `KEY_BUSY`.
    public var name: String {
        ResultCode.catalog[rawValue]?.name ?? "CODE_\(rawValue)"
    }

    /// What the code means, in one sentence.
    public var meaning: String {
        ResultCode.catalog[rawValue]?.meaning ?? "The server answered with a code that this client does not know."
    }

    /// What can be done about it, in one sentence.
    public var remedy: String {
        ResultCode.catalog[rawValue]?.remedy ?? "Look the code up in the server's release notes and log."
    }

    /// Whether the same call may succeed a little later.
    public var isTransient: Bool {
        ResultCode.catalog[rawValue]?.isTransient ?? false
    }

    /// Whether a write that was sent and came to this may have been applied all the same.
    ///
    /// Every other code says that it was not.
    public var leavesWriteInDoubt: Bool {
        ResultCode.catalog[rawValue]?.leavesWriteInDoubt ?? false
    }
}

extension ResultCode: CustomStringConvertible {
    /// The name and the number.
    public var description: String {
        "\(name) (\(rawValue))"
    }
}

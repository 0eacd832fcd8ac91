package import NIOCore

/// What a query came to.
package struct QueryAnswer: Sendable {
    /// The whole reply: one or several messages, ready to be sent.
    package var reply: ByteBuffer
    /// What a query that writes changed.
    package var changes: [RecordChange] = []
    /// What the node does not know and a real server may well do; to be reported loudly.
    package var unknown: [Refusal] = []

    package init(reply: ByteBuffer) {
        self.reply = reply
    }
}

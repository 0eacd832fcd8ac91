public import Aerospike

/// Something that is to go wrong with requests: what, with which, and how often.
///
/// A node answers the requests of a connection one after the other, so a fault that holds a reply back holds back all
/// that come after it on that connection.
public struct Fault: Sendable {
    /// What goes wrong.
    public enum Effect: Sendable, Hashable {
        /// The request is carried out and never answered; then the connection is closed or says no more.
        case swallowReply(then: Aftermath)
        /// The request is not carried out, and the connection is closed or says no more.
        case dropRequest(then: Aftermath)
        /// The request is carried out, and its reply and all later ones of the connection are held for a time.
        case delayReply(Duration)
        /// The request is carried out, so many bytes of the reply are sent, and the connection is closed.
        case cutReply(afterBytes: Int)
        /// The code is answered; whether the request is carried out all the same is up to the test.
        case answer(ResultCode, isApplied: Bool)
        /// The request is carried out, and these bytes are sent in the place of the reply.
        case sendBytes([UInt8], then: Aftermath)
    }

    /// What becomes of a connection.
    public enum Aftermath: Sendable, Hashable {
        /// The node closes it.
        case close
        /// It stays open, and the node neither reads from it nor writes to it any more.
        case stall
        /// It goes on with the next request.
        ///
        /// Without a reply for the one before, what a client makes of the next is the client's matter; no real server
        /// does that.
        case goOn
    }

    /// What goes wrong.
    public var effect: Effect

    /// The nodes where it does, by their places; all if nil.
    public var nodes: Set<Int>?

    /// With which requests.
    public var matches: @Sendable (RequestSummary) -> Bool

    /// How many requests that match are let through first.
    public var skipping: Int

    /// How many requests that match are hit then.
    public var count: Int

    /// A fault.
    ///
    /// - Parameters:
    ///   - effect: what goes wrong.
    ///   - nodes: the nodes where it does, by their places; all if nil.
    ///   - skipping: how many requests that match are let through first; 0 by default.
    ///   - count: how many are hit then; 1 by default.
    ///   - matches: with which requests; by default every call on records.
    public init(
        _ effect: Effect,
        nodes: Set<Int>? = nil,
        skipping: Int = 0,
        count: Int = 1,
        where matches: @escaping @Sendable (RequestSummary) -> Bool = { $0.isCall }
    ) {
        self.effect = effect
        self.nodes = nodes
        self.skipping = skipping
        self.count = count
        self.matches = matches
    }
}

extension Fault.Effect {
    /// Whether the request is carried out.
    package var isApplied: Bool {
        switch self {
        case .dropRequest, .answer(_, isApplied: false): false
        case .swallowReply, .delayReply, .cutReply, .sendBytes, .answer(_, isApplied: true): true
        }
    }

    /// A word for it, by which it is counted.
    package var name: String {
        switch self {
        case .swallowReply: "swallowReply"
        case .dropRequest: "dropRequest"
        case .delayReply: "delayReply"
        case .cutReply: "cutReply"
        case .answer: "answer"
        case .sendBytes: "sendBytes"
        }
    }
}

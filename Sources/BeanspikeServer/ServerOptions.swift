public import BeanspikeCore
public import NIOCore

/// How a server treats its clients.
public struct ServerOptions: Sendable {
    /// The largest body that is taken, in bytes, at most ``Limits/bodyBytesMaxCeiling`` (`-z`).
    public var bodyBytesMax: Int
    /// Connections at once; one more is closed as soon as it is accepted.
    ///
    /// Nil means any number (`-c`).
    public var connectionsMax: Int?
    /// A connection that sent nothing, and is owed nothing, for so long is closed.
    ///
    /// Nil means never (`-I`).
    public var idleTimeout: TimeAmount?
    /// Whether HTTP's GET and HEAD are answered with the server's health (`-H`).
    public var answersHealth: Bool
    /// Whether bodies are compressed where that saves something, unseen by clients (`--compress`).
    ///
    /// Bodies that somebody else compressed are made whole again either way.
    public var compressesBodies: Bool
    /// How long a stop waits for what was submitted to be answered and read by the clients.
    public var stopGrace: TimeAmount

    /// Options.
    public init(
        bodyBytesMax: Int = Limits.bodyBytesMaxDefault,
        connectionsMax: Int? = nil,
        idleTimeout: TimeAmount? = nil,
        answersHealth: Bool = false,
        compressesBodies: Bool = false,
        stopGrace: TimeAmount = .seconds(5)
    ) {
        self.bodyBytesMax = bodyBytesMax
        self.connectionsMax = connectionsMax
        self.idleTimeout = idleTimeout
        self.answersHealth = answersHealth
        self.compressesBodies = compressesBodies
        self.stopGrace = stopGrace
    }
}

extension BeanspikeServer {
    /// ``ServerOptions``, for those who have a type of that name themselves.
    public typealias Options = ServerOptions
}

/// The bounds on what one connection may cost, whatever its peer does.
enum ConnectionLimits {
    /// Input that is kept while nothing may be parsed; beyond it nothing more is read.
    ///
    /// What a kernel still holds when the peer closes its side comes on top of it, once.
    static let waitingInputBytesMax = 65_536
    /// Commands that a store has not answered.
    static let commandsInFlightMax = 8_192
    /// Bytes of bodies that a store has not answered, where the largest body does not need more.
    static let bodyBytesInFlightMax = 4_194_304
    /// The output that commands in flight may ask for, where the largest body does not need more.
    static let longReplyBytesMax = 16_777_216
    /// Commands in flight that may be answered with a body or a list.
    static let longRepliesInFlightMax = 1_024
    /// Output that the peer has not taken: over the upper bound nothing more is parsed or read, until it is below
    /// the lower one.
    static let unreadOutputBytes = ChannelOptions.Types.WriteBufferWaterMark(low: 65_536, high: 262_144)
    /// Memory of input or output that an idle connection may keep.
    static let keptBufferBytesMax = 65_536

    /// How many commands with long replies may be in flight where bodies are at most so long.
    static func longRepliesMax(bodyBytesMax: Int) -> Int {
        min(longRepliesInFlightMax, max(1, longReplyBytesMax / max(1, bodyBytesMax)))
    }
}

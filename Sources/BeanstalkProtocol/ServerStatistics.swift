/// What only a server knows of what `stats` prints (protocol.txt, "stats").
public struct ServerStatistics: Sendable {
    /// How often each command came.
    public var commands = CommandCounts()
    /// The largest body that is taken, in bytes.
    public var bodyBytesMax = 0
    /// Open connections.
    public var connections: UInt64 = 0
    /// Open connections that sent a `put`.
    public var producers: UInt64 = 0
    /// Open connections that sent a `reserve`.
    public var workers: UInt64 = 0
    /// Connections accepted since the start.
    public var connectionsTotal: UInt64 = 0
    /// The server's process.
    public var processID: Int64 = 0
    /// The server's version.
    public var version = ""
    /// Processor time in user mode, in microseconds.
    public var userMicroseconds: UInt64 = 0
    /// Processor time in the kernel, in microseconds.
    public var systemMicroseconds: UInt64 = 0
    /// Seconds since the start.
    public var uptimeSeconds: UInt64 = 0
    /// Whether jobs are turned away.
    public var isDraining = false
    /// This run's own name: 16 hexadecimal digits.
    public var id = ""
    /// The machine's name (`uname`).
    public var hostname = ""
    /// The system's version (`uname`).
    public var os = ""
    /// The machine's kind (`uname`).
    public var platform = ""

    /// Nothing yet.
    public init() {}
}

/// When a change that the embedded store acknowledged is on disk.
public enum StoreDurability: Equatable, Sendable {
    /// Before it is acknowledged (`-D`, and the default).
    case committed
    /// At most so many milliseconds after (`-f`).
    case every(milliseconds: UInt32)
    /// When the system writes it (`-F`).
    case never
}

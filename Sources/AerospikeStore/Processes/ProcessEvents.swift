/// What a process is told about its life among the others, by ``ProcessRegistry/run(_:)``.
package struct ProcessEvents: Sendable {
    /// Takes the jobs of a dead process back.
    ///
    /// The footprint lists every segment from which it may have reserved. Two processes may do it at once, and again after
    /// one failed. Only when it returns is the process forgotten.
    package var recover: @Sendable (_ process: Int, _ footprint: [Int]) async throws -> Void

    /// Others took this process for dead: all that it holds is theirs to give out, so drop it.
    ///
    /// When this returns, the process starts again under a new number.
    package var died: @Sendable () async -> Void

    /// The process started again, under a new number.
    package var reborn: @Sendable (_ process: Int) async -> Void

    /// The other processes that live or are not cleared yet, with the addresses of those that take messages.
    package var peers: @Sendable (_ addresses: [Int: PeerAddress]) -> Void

    /// What a process is told.
    package init(
        recover: @escaping @Sendable (_ process: Int, _ footprint: [Int]) async throws -> Void,
        died: @escaping @Sendable () async -> Void,
        reborn: @escaping @Sendable (_ process: Int) async -> Void = { _ in },
        peers: @escaping @Sendable (_ addresses: [Int: PeerAddress]) -> Void = { _ in }
    ) {
        self.recover = recover
        self.died = died
        self.reborn = reborn
        self.peers = peers
    }
}

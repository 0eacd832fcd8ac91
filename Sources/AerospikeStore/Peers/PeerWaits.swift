import BeanspikeCore

/// On which tubes consumers of one peer wait, by what it told.
struct PeerWaits: Sendable {
    private(set) var tubes: Set<TubeName> = []
    private var version: UInt64 = 0

    /// What a message changed.
    struct Change: Sendable, Equatable {
        var began: [TubeName] = []
        var ended: [TubeName] = []
    }

    /// Takes what the peer told; what is older than what is known is passed over.
    mutating func take(version: UInt64, isBeginning: Bool, _ waits: [PeerMessage.Wait]) -> Change {
        guard version >= self.version else { return Change() }
        self.version = version
        var before: Set<TubeName> = []
        if isBeginning { swap(&before, &tubes) }
        var change = Change()
        for wait in waits {
            if !wait.isWaiting {
                if tubes.remove(wait.tube) != nil { change.ended.append(wait.tube) }
            } else if tubes.count < PeerLimits.waitsMax, tubes.insert(wait.tube).inserted,
                before.remove(wait.tube) == nil
            {
                change.began.append(wait.tube)
            }
        }
        // What a long list names in its next part ends and begins again, which does no harm.
        change.ended += before
        return change
    }

    /// The last connection to the peer is gone: it may tell the same again.
    mutating func forget() -> [TubeName] {
        defer { tubes = [] }
        return Array(tubes)
    }
}

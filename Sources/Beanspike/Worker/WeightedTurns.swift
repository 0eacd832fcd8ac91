/// In which order tubes are asked for a job: each first as often as its weight says.
///
/// A value without chance: the smooth weighted round robin that nginx uses (`ngx_http_upstream_round_robin.c`). With weights 5, 1
/// and 1 the first are a a b a c a a.
struct WeightedTurns {
    private let weights: [Int]
    private var credits: [Int]

    /// Turns.
    ///
    /// - Parameter weights: of each tube, at least 1 each.
    init(weights: [Int]) {
        self.weights = weights.map { max(1, $0) }
        credits = weights.map { _ in 0 }
    }

    /// The next turn: all tubes, the one whose turn it is first, the others by what is owed to them.
    mutating func next() -> [Int] {
        for index in weights.indices { credits[index] += weights[index] }
        let order = weights.indices.sorted { (credits[$0], weights[$0], -$0) > (credits[$1], weights[$1], -$1) }
        if let first = order.first { credits[first] -= weights.reduce(0, +) }
        return order
    }
}

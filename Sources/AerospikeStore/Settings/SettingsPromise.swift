/// What settings promise, for people, on one line.
struct SettingsPromise {
    private let settings: NamespaceSettings

    init(_ settings: NamespaceSettings) {
        self.settings = settings
    }

    var text: String {
        guard !settings.members.isEmpty else { return "no node has the namespace \(settings.namespace)" }
        return "\(cluster), \(copies), \(place): \([nodeLoss, partition].compactMap(\.self).joined(separator: "; "))"
    }

    private var copies: String { settings.copies == 1 ? "1 copy of each job" : "\(settings.copies) copies of each job" }

    private var cluster: String {
        let count = settings.nodeCount
        return "\(count) node\(count == 1 ? "" : "s") of \(settings.builds.joined(separator: " and "))"
    }

    private var place: String {
        if settings.isInMemory { return "in memory alone" }
        return settings.members.contains { $0.storage == .backedMemory } ? "in memory and on disk" : "on disk"
    }

    /// What the loss of nodes costs.
    private var nodeLoss: String {
        let forgotten = settings.forgettableMilliseconds.map { "up to \($0) ms of acknowledged changes" }
        // Copies that a write reaches before it is acknowledged.
        let safeCopies = settings.commitsToAllCopies ? settings.copies : 1
        if safeCopies < 2 {
            if settings.isInMemory { return "jobs on a node that stops are lost" }
            let loss = forgotten.map { "; one that is killed loses \($0)" } ?? ""
            return "jobs on a node that stops cannot be reached until it is back\(loss)"
        }
        let survived = safeCopies == 2 ? "any one node" : "any \(safeCopies - 1) nodes"
        if settings.isInMemory { return "losing \(survived) loses no job, losing more at once does" }
        let loss = forgotten.map { ", more killed at once lose \($0)" } ?? ""
        return "losing \(survived) loses no job\(loss)"
    }

    /// What a partition does; nil where there can be none.
    private var partition: String? {
        guard settings.nodeCount > 1 else { return nil }
        if settings.isStronglyConsistent { return "a partition loses no acknowledged job" }
        if settings.clusterSizeMin > settings.nodeCount / 2 {
            return "in a partition only a side of \(settings.clusterSizeMin) nodes or more goes on"
        }
        return "a partition can lose acknowledged jobs"
    }
}

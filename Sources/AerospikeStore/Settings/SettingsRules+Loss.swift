import BeanspikeCore

/// Settings that can lose jobs.
extension SettingsRules {
    /// Which of two versions of a record is kept when nodes that were apart meet again.
    ///
    /// By generation is the default, and generations have 16 bits: a job record is changed often enough to begin anew,
    /// and then the version of a node that was away for long wins against what was acknowledged since. Where there is
    /// one node, and there is to be one copy, no record ever has two versions: then it is a warning, for the day on
    /// which a second node joins.
    var conflictResolution: [StoreFinding] {
        let name = "conflict-resolution-policy"
        guard !settings.isStronglyConsistent else { return [] }
        let wrong = settings.nodes(where: name, isNot: "last-update-time")
        let state = settings.state(of: name)
        guard !wrong.isEmpty else {
            return [StoreFinding(.fine, name, state, meaning: "Nodes that were apart keep the change that came last.")]
        }
        let remedy = remedies.set(
            name,
            to: "last-update-time",
            on: wrong,
            advice: "Set it to last-update-time on every node, at once and in aerospike.conf."
        )
        if settings.nodeCount == 1, settings.replicationFactor == 1, settings.silentNodes.isEmpty {
            return [
                StoreFinding(
                    .warning,
                    name,
                    state,
                    meaning: "It does not matter while there is one node with one copy; with a second node, "
                        + "acknowledged changes could be lost.",
                    remedy: remedy
                )
            ]
        }
        return [
            StoreFinding(
                .refused,
                name,
                state,
                meaning: "A node that comes back after having been away can win with old data: acknowledged changes "
                    + "of jobs are lost.",
                remedy: remedy
            )
        ]
    }

    /// Whether a write looks for the newest version while partitions move.
    var duplicateResolution: [StoreFinding] {
        let wrong = settings.nodes(where: "disable-write-dup-res", isNot: "false")
        guard !wrong.isEmpty else { return [] }
        return [
            StoreFinding(
                .refused,
                "disable-write-dup-res",
                settings.state(of: "disable-write-dup-res"),
                meaning: "After a node has come or gone, a change may be made to an old version of a record: "
                    + "acknowledged changes of jobs are lost.",
                remedy: remedies.set(
                    "disable-write-dup-res",
                    to: "false",
                    on: wrong,
                    advice: "Set it to false on every node, at once and in aerospike.conf."
                )
            )
        ]
    }

    var replication: [StoreFinding] {
        let name = "replication-factor"
        let copies = settings.copies
        let factor = settings.replicationFactor
        let count = settings.nodeCount
        if copies >= 2 {
            let survived = copies == 2 ? "any one node" : "any \(copies - 1) nodes at once"
            let meaning = "Losing \(survived) loses no job."
            return [StoreFinding(.fine, name, settings.state(of: name), meaning: meaning)]
        }
        let loss =
            settings.isInMemory
            ? "A node that stops takes its jobs with it."
            : "Jobs on a node that stops cannot be reached until it is back."
        if factor >= 2 {
            let remedy = StoreFinding.Remedy("Start a second node.")
            let state = "\(factor), with \(count) node"
            return [
                StoreFinding(.warning, name, state, meaning: "There is one copy of each job. \(loss)", remedy: remedy)
            ]
        }
        let advice =
            count > 1
            ? "Set it to 2 on every node, at once and in aerospike.conf." : "Set it to 2, and start a second node."
        // With strong consistency it takes a restart of all nodes.
        let remedy =
            settings.isStronglyConsistent
            ? remedies.restart("replication-factor 2", advice: "Set it to 2 in aerospike.conf, and restart the nodes.")
            : remedies.set(name, to: "2", reclustering: true, advice: advice)
        let state = settings.state(of: name)
        return [StoreFinding(.warning, name, state, meaning: "There is one copy of each job. \(loss)", remedy: remedy)]
    }

    /// Whether all copies have a write before it is acknowledged.
    var commitLevel: [StoreFinding] {
        let name = "write-commit-level-override"
        let wrong = settings.nodes(where: name, isNot: "off", "all")
        guard !wrong.isEmpty else { return [] }
        return [
            StoreFinding(
                .warning,
                name,
                settings.state(of: name),
                meaning: "A change is acknowledged when one node has it: that node's death loses it, whatever the "
                    + "replication factor.",
                remedy: remedies.set(
                    name,
                    to: "off",
                    on: wrong,
                    advice: "Set it to off on every node, at once and in aerospike.conf."
                )
            )
        ]
    }

    /// What a partition does.
    var partitions: [StoreFinding] {
        let name = "min-cluster-size"
        let count = settings.nodeCount
        let size = settings.clusterSizeMin
        let majority = count / 2 + 1
        if settings.isStronglyConsistent {
            let meaning = "A partition loses no acknowledged job."
            return [StoreFinding(.fine, "strong-consistency", "true", meaning: meaning)]
        }
        if size > count {
            return [
                StoreFinding(
                    .refused,
                    name,
                    "\(size), with \(count) node\(count == 1 ? "" : "s")",
                    meaning: "So few nodes serve nothing.",
                    remedy: .init("Start the other nodes.")
                )
            ]
        }
        if count == 1 { return [] }
        if size >= majority {
            let meaning = "In a partition only a side of \(size) nodes or more goes on, so no two sides do."
            return [StoreFinding(.fine, name, "\(size), with \(count) nodes", meaning: meaning)]
        }
        let meaning =
            "In a partition both sides go on: one side's acknowledged jobs are lost when they meet again, "
            + "and a job may be given out on both."
        let remedy =
            count == 2
            ? StoreFinding.Remedy(
                "Add a third node, then set it to 2: with two nodes, 2 would stop both when either dies."
            )
            : remedies.setService(
                name,
                to: "\(majority)",
                advice: "Set it to \(majority), the majority, on every node, at once and in aerospike.conf."
            )
        return [StoreFinding(.warning, name, "\(size), with \(count) nodes", meaning: meaning, remedy: remedy)]
    }

    /// Where jobs are when nodes stop.
    var storage: [StoreFinding] {
        let name = "storage-engine"
        let safeCopies = settings.commitsToAllCopies ? settings.copies : 1
        if settings.isInMemory {
            let isEmptied = settings.members.contains { $0.boolean("storage-engine.cold-start-empty") }
            let meaning =
                safeCopies > 1
                ? "Jobs survive \(safeCopies == 2 ? "any one node" : "any \(safeCopies - 1) nodes"), but not all at once: "
                    + "a power cut or a stop of the whole cluster loses them all."
                : "Jobs are gone when their node stops."
            let remedy =
                isEmptied
                ? remedies.restart(
                    "storage-engine device {",
                    "    cold-start-empty false",
                    "}",
                    advice: "Take cold-start-empty out of aerospike.conf, and restart the nodes one after the other."
                )
                : remedies.restart(
                    "storage-engine device {",
                    "    file /opt/aerospike/data/\(settings.namespace).dat",
                    "    filesize 16G",
                    "}",
                    advice: "Keep jobs in files or on devices: change aerospike.conf, and restart the nodes one after "
                        + "the other, waiting for migrations in between."
                )
            let state = isEmptied ? "emptied at each start" : "memory, nothing on disk"
            return [StoreFinding(.warning, name, state, meaning: meaning, remedy: remedy)]
        }
        let isBacked = settings.members.contains { $0.storage == .backedMemory }
        let state = isBacked ? "memory, with files or devices behind it" : settings.state(of: name)
        guard let milliseconds = settings.forgettableMilliseconds else {
            let meaning = "What is acknowledged is on disk."
            return [StoreFinding(.fine, name, state, meaning: meaning)]
        }
        guard safeCopies < 2 else {
            let meaning =
                "Jobs survive a stop of the whole cluster. Nodes that are killed all at once (a power cut) "
                + "forget up to \(milliseconds) ms of acknowledged changes; one alone gets them from the others."
            return [StoreFinding(.fine, name, state, meaning: meaning)]
        }
        return [
            StoreFinding(
                .warning,
                name,
                state,
                meaning: "Jobs survive a clean stop. A node that is killed forgets up to \(milliseconds) ms of "
                    + "acknowledged changes, and nobody else has them.",
                remedy: .init("Have two copies: replication-factor 2 and a second node.")
            )
        ]
    }
}

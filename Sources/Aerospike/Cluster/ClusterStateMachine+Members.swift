import NIOCore

/// How nodes come and go.
extension ClusterStateMachine {
    // MARK: Answers

    /// Takes in what a node that is known says.
    mutating func take(_ report: NodeReport, from index: Int, now: NIODeadline, _ actions: inout [Action]) {
        members[index].failingSince = nil
        if let peers = report.peers {
            members[index].peers = peers
            members[index].peersGeneration = report.peersGeneration
        }
        if let ownership = report.ownership, mayTakeOwnership(from: index) {
            own(ownership, generation: report.partitionGeneration, index, now: now)
        }
        var question = NodeReport.Question.generations
        if members[index].peersGeneration != report.peersGeneration {
            question.insert(.peers)
        }
        if report.partitionGeneration != NodeReport.notReady,
            members[index].partitionGeneration != report.partitionGeneration
        {
            question.insert(.partitions)
        }
        // What was just asked for is not asked for again at once, even if it changed on the way.
        if report.peers == nil, report.ownership == nil, question != .generations {
            members[index].question = question
            actions.append(.ask(members[index].id, names: settings.dialect.names(question)))
        }
    }

    /// Whether what a node says of its partitions is believed.
    ///
    /// One that sees no other while another answers us is cut off from its cluster. It claims every partition.
    private func mayTakeOwnership(from index: Int) -> Bool {
        !members[index].peers.isEmpty
            || !members.contains { $0.id != members[index].id && $0.isAnswering }
    }

    private mutating func own(
        _ ownership: [PartitionOwnership],
        generation: Int?,
        _ index: Int,
        now: NIODeadline
    ) {
        members[index].partitionGeneration = generation
        lastOwnershipOrder += 1
        members[index].ownershipOrder = lastOwnershipOrder
        members[index].ownership = ownership
        merge(now)
    }

    private mutating func merge(_ now: NIODeadline) {
        tables = PartitionTable.merging(
            members.sorted { $0.ownershipOrder < $1.ownershipOrder }
                .map { PartitionTable.Claim(node: $0.id, ownership: $0.ownership) }
        )
        owners = tables.reduce(into: []) { $0.formUnion($1.owners) }
        incompleteSince = tables.allSatisfy(\.isComplete) ? nil : incompleteSince ?? now
    }

    /// Another node answers in the place of one that is known.
    mutating func rename(_ index: Int, to name: String, now: NIODeadline, _ actions: inout [Action]) {
        if !strays.contains(members[index].host), strays.count < AerospikeLimits.nodesMax {
            strays.append(members[index].host)
        }
        actions.append(.drop(members[index].id, .renamed(to: name)))
        members.remove(at: index)
        merge(now)
    }

    // MARK: Looking for nodes

    /// Nodes whose lists of peers count.
    private var tellers: [Member] {
        let answering = members.filter(\.isAnswering)
        return answering.isEmpty ? members : answering
    }

    /// Where nodes are to be looked for.
    private func wantedHosts(_ now: NIODeadline) -> [Host] {
        var hosts: [Host] = []
        var seen: Set<Host> = []
        func want(_ host: Host) {
            if seen.insert(host).inserted {
                hosts.append(host)
            }
        }
        if !members.contains(where: \.isAnswering) {
            settings.seeds.forEach(want)
            strays.forEach(want)
        }
        for teller in tellers {
            for peer in teller.peers {
                let addresses = addresses(of: peer)
                if let known = members.first(where: { $0.name == peer.name }) {
                    // One that is only slow to answer has not moved.
                    guard let since = known.failingSince, since + settings.interval <= now,
                        !addresses.contains(known.host)
                    else { continue }
                }
                addresses.forEach(want)
            }
        }
        return hosts
    }

    private func addresses(of peer: PeerList.Peer) -> [Host] {
        peer.addresses.prefix(AerospikeLimits.addressesPerNodeMax).map { address in
            Host(
                settings.addressTranslation[address.host] ?? address.host,
                port: address.port,
                tlsName: peer.tlsName.isEmpty ? nil : peer.tlsName
            )
        }
    }

    /// Begins to look where nodes are wanted, and ceases where they are not.
    mutating func updateProbes(_ now: NIODeadline) {
        let wanted = wantedHosts(now)
        let wantedSet = Set(wanted)
        probes.removeAll { !wantedSet.contains($0.host) && !$0.isAsking }
        for index in probes.indices {
            probes[index].isWanted = wantedSet.contains(probes[index].host)
        }
        let probed = Set(probes.map(\.host))
        for host in wanted where !probed.contains(host) {
            probes.append(Probe(host: host, since: now, nextAttempt: now))
        }
    }

    /// Decides about a node that was found.
    ///
    /// - Throws: ``AerospikeError``, why the node is not one of ours.
    mutating func meet(
        _ report: NodeReport,
        at host: Host,
        now: NIODeadline,
        _ actions: inout [Action]
    ) throws(AerospikeError) {
        if let index = members.firstIndex(where: { $0.name == report.name }) {
            let known = members[index]
            guard !known.isAnswering else { return }
            guard known.host != host else {
                // It is back, and need not be waited for.
                members[index].isWanted = known.question == nil
                return
            }
            actions.append(.drop(known.id, .moved(to: host)))
            members.remove(at: index)
            merge(now)
            try add(report, at: host, now: now, &actions)
            return
        }
        guard report.ownership != nil else {
            throw AerospikeError(.partitionUnavailable, "The node \(report.name) is not ready yet.")
        }
        if tellers.contains(where: { $0.lists(report.name) }) {
            try add(report, at: host, now: now, &actions)
        } else if !members.contains(where: \.isAnswering) {
            if report.peers?.isEmpty ?? true {
                loners.removeAll { $0.host == host }
                loners.append((host, report))
            } else {
                try add(report, at: host, now: now, &actions)
            }
        } else {
            throw AerospikeError(.invalidNode, "The node \(report.name) answers there, which no other node lists.")
        }
    }

    /// Takes a node that knows of no others, if the seeds that are left to be heard cannot bring a better.
    mutating func meetLoner(now: NIODeadline, _ actions: inout [Action]) {
        guard !members.contains(where: \.isAnswering) else {
            loners.removeAll()
            return
        }
        guard !probes.contains(where: \.isUntried), let (host, report) = loners.first else { return }
        loners.removeAll()
        // There is no other node to tell it apart from, and so nothing to throw.
        try? add(report, at: host, now: now, &actions)
    }

    private mutating func add(
        _ report: NodeReport,
        at host: Host,
        now: NIODeadline,
        _ actions: inout [Action]
    ) throws(AerospikeError) {
        guard members.count < AerospikeLimits.nodesMax else {
            throw AerospikeError(.client, "There are \(members.count) nodes already, the most that are taken note of.")
        }
        lastID += 1
        members.append(
            Member(
                id: lastID,
                name: report.name,
                host: host,
                peers: report.peers ?? [],
                peersGeneration: report.peersGeneration,
                askedAt: now
            )
        )
        actions.append(.add(lastID, name: report.name, host: host))
        let index = members.count - 1
        if let ownership = report.ownership, mayTakeOwnership(from: index) {
            own(ownership, generation: report.partitionGeneration, index, now: now)
        }
    }

    // MARK: Letting nodes go

    /// Drops nodes that their cluster has given up.
    mutating func dropStrangers(_ now: NIODeadline, _ actions: inout [Action]) {
        var departures: [NodeID: Departure] = [:]
        for index in members.indices {
            let member = members[index]
            let others = members.filter { $0.id != member.id && $0.isAnswering }
            guard !others.isEmpty, !others.contains(where: { $0.lists(member.name) }) else {
                members[index].strangeSince = nil
                continue
            }
            if !member.isAnswering {
                departures[member.id] = .dead
            } else if owners.contains(member.id) {
                members[index].strangeSince = nil
            } else {
                let since = member.strangeSince ?? now
                members[index].strangeSince = since
                if since + settings.interval * 2 <= now {
                    departures[member.id] = .left
                }
            }
        }
        guard !departures.isEmpty else { return }
        for member in members {
            if let departure = departures[member.id] {
                actions.append(.drop(member.id, departure))
            }
        }
        members.removeAll { departures[$0.id] != nil }
        merge(now)
    }
}

extension ClusterStateMachine.Member {
    /// Whether the node says that another belongs to its cluster.
    func lists(_ name: String) -> Bool {
        peers.contains { $0.name == name }
    }
}

package import NIOCore

/// What a client knows of its cluster, whom it asks next, and what follows from the answers.
///
/// It does no I/O and has no clock: ``Cluster`` carries out the actions and reports what comes of them. Each action to ask
/// or probe is followed by exactly one report.
///
/// Every node is asked on its own, so one that does not answer delays nothing but what is known of itself. As long as
/// something is wrong the others are asked often, for they agree on what to do without it after about two seconds.
package struct ClusterStateMachine: Sendable {
    package typealias Host = AerospikeClientConfiguration.Host
    /// A number for each node that is met; one that comes back gets another.
    package typealias NodeID = Int32

    /// What to know before the first node is met.
    package struct Settings: Sendable {
        package var seeds: [Host]
        package var dialect = NodeReport.Dialect()
        package var addressTranslation: [String: String] = [:]
        /// How often nodes are asked when all is well.
        package var interval = TimeAmount.seconds(1)
        /// How often they are asked when something is wrong.
        package var urgentInterval = TimeAmount.milliseconds(150)
        /// How soon after a question they are asked again because a caller wants it.
        package var requestInterval = TimeAmount.milliseconds(100)
        /// How long after it began something that is wrong is urgent.
        package var urgency = TimeAmount.seconds(10)

        package init(seeds: [Host]) {
            self.seeds = seeds
        }
    }

    /// What is to be done.
    package enum Action: Sendable, Hashable {
        /// Find out which node is at an address, and report with ``ClusterStateMachine/probed(_:_:now:)``.
        case probe(Host, names: [String])
        /// Ask a node, and report with ``ClusterStateMachine/answered(_:_:now:)``.
        case ask(NodeID, names: [String])
        /// Open connections to a node; it is ready for what is published after.
        case add(NodeID, name: String, host: Host)
        /// Close the connections to a node; it is in nothing that is published any more.
        case drop(NodeID, Departure)
        /// Tell callers which nodes there are and what they hold.
        case publish([PartitionTable], nodes: [NodeID])
    }

    /// Why a node is dropped.
    package enum Departure: Sendable, Hashable {
        /// It does not answer, and no node lists it.
        case dead
        /// It answers, but no node lists it, and it holds nothing.
        case left
        /// Another node answers at its address.
        case renamed(to: String)
        /// It answers at another address.
        case moved(to: Host)
    }

    /// A node that was met.
    struct Member {
        let id: NodeID
        let name: String
        let host: Host
        var peers: [PeerList.Peer]
        /// The generation of `peers`; nil if they are to be asked for in any case.
        var peersGeneration: Int?
        var ownership: [PartitionOwnership] = []
        /// The generation of `ownership`; nil if it is to be asked for in any case.
        var partitionGeneration: Int?
        /// Which of all the answers that told of partitions was its last.
        var ownershipOrder = 0
        /// What it was asked and has not answered yet.
        var question: NodeReport.Question?
        /// When it was last asked whether anything changed.
        var askedAt: NIODeadline
        /// Whether a caller wants it to be asked soon.
        var isWanted = false
        /// Since when it has not answered; nil if it answered the last time.
        var failingSince: NIODeadline?
        /// Since when it has been one that may have left.
        var strangeSince: NIODeadline?

        var isAnswering: Bool { failingSince == nil }
    }

    /// An address at which a node is looked for.
    struct Probe {
        let host: Host
        var isAsking = false
        var attemptCount = 0
        /// Whether a node is still looked for there.
        var isWanted = true
        let since: NIODeadline
        var nextAttempt: NIODeadline

        var isUntried: Bool { attemptCount == 0 || attemptCount == 1 && isAsking }
    }

    let settings: Settings
    var members: [Member] = []
    var probes: [Probe] = []
    /// Where a node was found in the place of another; they serve as seeds when nobody answers.
    var strays: [Host] = []
    /// Nodes found by seeds that know of no others: they are used if no better is found.
    var loners: [(host: Host, report: NodeReport)] = []
    var lastID: NodeID = 0
    var lastOwnershipOrder = 0
    var tables: [PartitionTable] = []
    /// The nodes that hold something.
    var owners: Set<NodeID> = []
    /// Since when partitions have been without a master; nil if none is.
    var incompleteSince: NIODeadline?
    /// What callers were told last.
    var published: (tables: [PartitionTable], nodes: [NodeID]) = ([], [])
    /// Why each seed that failed did so the last time.
    package internal(set) var seedErrors: [Host: AerospikeError] = [:]

    package init(settings: Settings) {
        self.settings = settings
    }

    /// How often nodes are asked when all is well.
    package var interval: TimeAmount { settings.interval }

    /// Whether something was published, and all nodes that were heard of have been looked for once.
    package var isInitialized: Bool {
        !published.tables.isEmpty && !probes.contains { $0.isWanted && $0.isUntried }
    }

    // MARK: Events

    /// Time has passed.
    package mutating func tick(now: NIODeadline) -> [Action] {
        react(now)
    }

    /// A caller has seen something that makes a change likely.
    package mutating func requestTend(now: NIODeadline) -> [Action] {
        for index in members.indices {
            members[index].isWanted = true
        }
        return react(now)
    }

    /// What came of a question to a node.
    package mutating func answered(
        _ id: NodeID,
        _ result: Result<[String: String], AerospikeError>,
        now: NIODeadline
    ) -> [Action] {
        // It may have been dropped since.
        guard let index = members.firstIndex(where: { $0.id == id }), let question = members[index].question else {
            return []
        }
        members[index].question = nil
        var actions: [Action] = []
        do throws(AerospikeError) {
            let report = try NodeReport(try result.get(), answering: question, in: settings.dialect)
            if report.name == members[index].name {
                take(report, from: index, now: now, &actions)
            } else {
                rename(index, to: report.name, now: now, &actions)
            }
        } catch {
            members[index].failed(now)
        }
        return react(now, actions)
    }

    /// What came of looking for a node at an address.
    package mutating func probed(
        _ host: Host,
        _ result: Result<[String: String], AerospikeError>,
        now: NIODeadline
    ) -> [Action] {
        guard let index = probes.firstIndex(where: { $0.host == host && $0.isAsking }) else { return [] }
        probes[index].isAsking = false
        probes[index].nextAttempt = now + retryInterval(since: probes[index].since, now)
        var actions: [Action] = []
        do throws(AerospikeError) {
            let report = try NodeReport(try result.get(), answering: .introduction, in: settings.dialect)
            try meet(report, at: host, now: now, &actions)
            seedErrors[host] = nil
        } catch {
            if settings.seeds.contains(host) {
                seedErrors[host] = error
            }
        }
        meetLoner(now: now, &actions)
        return react(now, actions)
    }

    /// When ``tick(now:)`` is to be called next, if nothing happens before.
    package func nextTick(after now: NIODeadline) -> NIODeadline {
        var next = NIODeadline.distantFuture
        for member in members {
            if member.question == nil {
                next = min(next, due(member, now))
            } else if member.askedAt + settings.urgentInterval > now {
                next = min(next, member.askedAt + settings.urgentInterval)
            }
            if let strangeSince = member.strangeSince {
                next = min(next, strangeSince + settings.interval * 2)
            }
        }
        for probe in probes where !probe.isAsking {
            next = min(next, probe.nextAttempt)
        }
        return max(next, now)
    }

    // MARK: What follows

    /// Draws the consequences of whatever happened.
    private mutating func react(_ now: NIODeadline, _ causes: [Action] = []) -> [Action] {
        var causes = causes
        dropStrangers(now, &causes)
        updateProbes(now)
        // Nothing is published without its connections, and nothing loses its connections while it is published.
        var actions = causes.filter(\.isAddition) + publish() + causes.filter { !$0.isAddition }
        let isUrgent = isUrgent(now)
        for index in members.indices where members[index].question == nil {
            guard due(members[index], now, isUrgent: isUrgent) <= now else { continue }
            members[index].question = .generations
            members[index].askedAt = now
            members[index].isWanted = false
            actions.append(.ask(members[index].id, names: settings.dialect.names(.generations)))
        }
        for index in probes.indices where !probes[index].isAsking && probes[index].nextAttempt <= now {
            probes[index].isAsking = true
            probes[index].attemptCount += 1
            actions.append(.probe(probes[index].host, names: settings.dialect.names(.introduction)))
        }
        return actions
    }

    private func due(_ member: Member, _ now: NIODeadline) -> NIODeadline {
        due(member, now, isUrgent: isUrgent(now))
    }

    private func due(_ member: Member, _ now: NIODeadline, isUrgent: Bool) -> NIODeadline {
        if member.isWanted {
            return member.askedAt + settings.requestInterval
        }
        if let since = member.failingSince {
            return member.askedAt + retryInterval(since: since, now)
        }
        return member.askedAt + (isUrgent ? settings.urgentInterval : settings.interval)
    }

    private func retryInterval(since: NIODeadline, _ now: NIODeadline) -> TimeAmount {
        now < since + settings.urgency ? settings.urgentInterval : settings.interval
    }

    /// Whether something has been wrong for less than ``Settings/urgency``.
    private func isUrgent(_ now: NIODeadline) -> Bool {
        func isRecent(_ since: NIODeadline) -> Bool { now < since + settings.urgency }
        if let incompleteSince, isRecent(incompleteSince) {
            return true
        }
        for member in members {
            if let since = member.failingSince {
                if isRecent(since) {
                    return true
                }
            } else if member.question != nil, member.askedAt + settings.urgentInterval <= now {
                return true
            }
        }
        return probes.contains { $0.isWanted && isRecent($0.since) }
    }

    /// Tells callers of what changed.
    private mutating func publish() -> [Action] {
        let nodes = members.map(\.id)
        guard published.tables != tables || published.nodes != nodes else { return [] }
        published = (tables, nodes)
        return [.publish(tables, nodes: nodes)]
    }
}

extension ClusterStateMachine.Action {
    fileprivate var isAddition: Bool {
        if case .add = self { true } else { false }
    }
}

extension ClusterStateMachine.Member {
    mutating func failed(_ now: NIODeadline) {
        failingSince = failingSince ?? now
        // It may be another run of the same node that answers next.
        peersGeneration = nil
        partitionGeneration = nil
    }
}

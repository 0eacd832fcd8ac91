import BeanspikeCore
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import AerospikeStore

/// A process of a queue as its peers see it, and what it was told.
final class TestPeer: Sendable {
    enum Event: Sendable, Equatable {
        case work(TubeName, UInt32)
        case paused(TubeName)
        case peerWaits(TubeName)
    }

    static let secret = [UInt8](repeating: 42, count: 32)

    let number: Int
    let network: PeerNetwork
    let happenings: Happenings<Event>

    private init(number: Int, network: PeerNetwork, happenings: Happenings<Event>) {
        self.number = number
        self.network = network
        self.happenings = happenings
    }

    static func open(
        _ number: Int,
        on eventLoop: any EventLoop,
        secret: [UInt8] = TestPeer.secret,
        answering: @escaping @Sendable (PeerQuestion) -> PeerAnswer? = { _ in .waiting(1) }
    ) async throws -> TestPeer {
        let happenings = Happenings<Event>()
        let events = PeerEvents(
            work: { happenings.add(.work($0, $1)) },
            paused: { happenings.add(.paused($0)) },
            peerWaits: { happenings.add(.peerWaits($0)) },
            answer: { question in
                guard let answer = answering(question) else { return eventLoop.makePromise().futureResult }
                return eventLoop.makeSucceededFuture(answer)
            }
        )
        let network = try await PeerNetwork.open(on: eventLoop, events: events, logger: StoreServer.quiet)
        network.join(as: number, secret: secret)
        // Who comes before that is not let in.
        try await eventLoop.submit {}.get()
        return TestPeer(number: number, network: network, happenings: happenings)
    }

    /// Makes processes that know of each other, runs a test with them, and closes them.
    static func with(
        _ count: Int,
        answering: @escaping @Sendable (Int, PeerQuestion) -> PeerAnswer? = { number, _ in .waiting(UInt64(number)) },
        _ body: @Sendable ([TestPeer]) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: count)
        var peers: [TestPeer] = []
        do {
            for number in 1...count {
                peers.append(try await open(number, on: group.next()) { answering(number, $0) })
            }
            introduce(peers)
            try await body(peers)
        } catch {
            Issue.record(error)
        }
        for peer in peers { await peer.network.close() }
        try await group.shutdownGracefully()
    }

    static func introduce(_ peers: [TestPeer]) {
        let addresses = peers.reduce(into: [:]) { $0[$1.number] = $1.network.address }
        peers.forEach { $0.network.setPeers(addresses) }
    }

    /// Does something on the network's event loop.
    func run<Result: Sendable>(_ body: @escaping @Sendable (PeerNetwork) -> Result) async throws -> Result {
        try await network.eventLoop.submit { [network] in body(network) }.get()
    }

    func setWaits(_ tube: TubeName, _ isWaiting: Bool) async throws {
        try await run { $0.setWaits(tube, isWaiting) }
    }

    func tellWork(_ tube: TubeName, priority: UInt32 = 1) async throws {
        try await run { $0.tellWork(tube, priority: priority) }
    }

    func seesWaits(on tube: TubeName) async throws -> Bool {
        try await run { $0.peersWaiting(on: tube) }
    }

    /// Ends all connections, as a network that fails does.
    func cutConnections() async throws {
        try await run { network in
            for link in network.core.value.links.values { link.connections.forEach { $0.close() } }
        }
    }

    /// How many connections were cut off because of what they sent.
    func violationCount() async throws -> Int {
        try await run { $0.core.value.violationCount }
    }
}

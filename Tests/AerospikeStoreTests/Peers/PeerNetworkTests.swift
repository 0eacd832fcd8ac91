import BeanspikeCore
import NIOCore
import NIOPosix
import Testing

@testable import AerospikeStore

@Suite(.timeLimit(.minutes(2))) struct PeerNetworkTests {
    private let tube = TubeName("orders") ?? .default

    @Test func whoWaitsIsToldOfWork() async throws {
        try await TestPeer.with(2) { peers in
            let (worker, producer) = (peers[0], peers[1])
            #expect(try await !producer.seesWaits(on: tube))
            try await worker.setWaits(tube, true)
            #expect(try await producer.happenings.next() == .peerWaits(tube))
            #expect(try await producer.seesWaits(on: tube))
            #expect(try await !worker.seesWaits(on: tube))
            try await producer.tellWork(tube, priority: 17)
            #expect(try await worker.happenings.next() == .work(tube, 17))
            // Of what it does not wait on it hears nothing.
            try await producer.tellWork(.default)
            try await producer.run { [tube] in $0.tellPause(tube) }
            #expect(try await worker.happenings.next() == .paused(tube))
            try await worker.setWaits(tube, false)
            try await eventually("no more waits") { try await !producer.seesWaits(on: tube) }
        }
    }

    @Test func threeTellEachOther() async throws {
        try await TestPeer.with(3) { peers in
            for peer in peers { try await peer.setWaits(tube, true) }
            for peer in peers {
                #expect(try await peer.happenings.next() == .peerWaits(tube))
                #expect(try await peer.happenings.next() == .peerWaits(tube))
            }
            try await peers[0].tellWork(tube)
            #expect(try await peers[1].happenings.next() == .work(tube, 1))
            #expect(try await peers[2].happenings.next() == .work(tube, 1))
            // One that is no longer listed is not waited for.
            try await peers[1].setWaits(tube, false)
            let addresses = [1: peers[0].network.address, 2: peers[1].network.address]
            // It would come back, and be let in as one that is too new to be listed.
            peers[2].network.setPeers([:])
            peers[0].network.setPeers(addresses)
            peers[1].network.setPeers(addresses)
            try await eventually("nobody waits") { try await !peers[0].seesWaits(on: tube) }
        }
    }

    @Test func allIsToldAgainAfterConnectionsWereLost() async throws {
        try await TestPeer.with(2) { peers in
            let (worker, producer) = (peers[0], peers[1])
            try await worker.setWaits(tube, true)
            try await worker.setWaits(.default, true)
            for _ in 0..<2 { _ = try await producer.happenings.next() }
            for round in 0..<5 as Range<UInt32> {
                // Either side may lose them.
                try await peers[Int(round % 2)].cutConnections()
                _ = try await producer.happenings.next { $0 == .peerWaits(tube) }
                try await producer.tellWork(tube, priority: round)
                #expect(try await worker.happenings.next() == .work(tube, round))
            }
        }
    }

    @Test func aProcessThatEndsIsForgottenAndItsNextLifeIsNot() async throws {
        try await TestPeer.with(2) { peers in
            let (worker, producer) = (peers[0], peers[1])
            try await worker.setWaits(tube, true)
            _ = try await producer.happenings.next()
            worker.network.join(as: 7, secret: TestPeer.secret)
            try await eventually("the old life is forgotten") { try await !producer.seesWaits(on: tube) }
            let addresses = [7: worker.network.address, 2: producer.network.address]
            producer.network.setPeers(addresses)
            worker.network.setPeers(addresses)
            #expect(try await producer.happenings.next() == .peerWaits(tube))
            try await producer.tellWork(tube)
            #expect(try await worker.happenings.next() == .work(tube, 1))
        }
    }

    @Test func aPeerThatCannotBeReachedIsTriedAgain() async throws {
        try await TestPeer.with(2) { peers in
            let (worker, producer) = (peers[0], peers[1])
            let address = producer.network.address
            await producer.network.close()
            try await worker.setWaits(tube, true)
            try await eventually("it cannot be reached") {
                try await worker.run { $0.core.value.links[2]?.dialling.isPausing == true }
            }
            // Later somebody listens there again.
            let happenings = Happenings<TubeName>()
            let eventLoop = producer.network.eventLoop
            let events = PeerEvents(
                work: { _, _ in },
                peerWaits: { happenings.add($0) },
                answer: { _ in eventLoop.makeSucceededFuture(.waiting(0)) }
            )
            let again = try await PeerNetwork.open(
                on: eventLoop,
                port: address.port,
                events: events,
                logger: StoreServer.quiet
            )
            again.join(as: 2, secret: TestPeer.secret)
            #expect(try await happenings.next() == tube)
            await again.close()
        }
    }

    // MARK: Questions

    @Test func questionsAreAnsweredByAllWhoLive() async throws {
        let many = (0..<2_000).compactMap { TubeName("tube-\($0)") }
        try await TestPeer.with(
            4,
            answering: { number, question in
                switch question {
                case .sessions(let tube): tube == .default ? .sessions(using: 1, watching: 2, waiting: 3) : nil
                case .tubes: .tubes(number == 2 ? many : [])
                // The third answers something else, the fourth nothing.
                case .waiting: number == 3 ? .tubes([]) : number == 4 ? nil : .waiting(UInt64(number))
                }
            },
            { peers in
                let network = peers[0].network
                let patience = Duration.seconds(20)
                let sessions = await network.ask(.sessions(.default), timeout: patience)
                let answer = PeerAnswer.sessions(using: 1, watching: 2, waiting: 3)
                #expect(sessions == [2: answer, 3: answer, 4: answer])
                let tubes = await network.ask(.tubes, timeout: patience)
                #expect(tubes == [2: .tubes(many), 3: .tubes([]), 4: .tubes([])])
                #expect(await network.ask(.waiting) == [2: .waiting(2)])
                #expect(await network.ask(.sessions(tube)) == [:])
                // One that has gone is not waited for.
                for peer in peers[1...] { await peer.network.close() }
                try await eventually("nobody is asked") {
                    let began = ContinuousClock.now
                    let answers = await network.ask(.tubes, timeout: patience)
                    return answers.isEmpty && ContinuousClock.now - began < .seconds(5)
                }
            }
        )
    }

    @Test func nobodyIsAskedBeforeTheNetworkIsJoined() async throws {
        try await TestPeer.with(1) { peers in
            #expect(await peers[0].network.ask(.waiting) == [:])
        }
    }

    // MARK: Strangers

    @Test func aWrongSecretIsCutOff() async throws {
        try await TestPeer.with(2) { peers in
            let stranger = try await TestPeer.open(
                3,
                on: peers[0].network.eventLoop,
                secret: [UInt8](repeating: 1, count: 32)
            )
            TestPeer.introduce(peers + [stranger])
            try await stranger.setWaits(tube, true)
            try await peers[1].setWaits(.default, true)
            #expect(try await peers[0].happenings.next() == .peerWaits(.default))
            try await eventually("cut off") { try await peers[0].violationCount() >= 2 }
            #expect(try await !peers[0].seesWaits(on: tube))
            #expect(try await !stranger.seesWaits(on: .default))
            await stranger.network.close()
        }
    }

    @Test func garbageIsCutOffAndOthersGoOn() async throws {
        try await TestPeer.with(2) { peers in
            let address = peers[0].network.address
            for length in [1, 8, 49, 100, 70_000, 1_000_000] {
                let channel = try await ClientBootstrap(group: peers[1].network.eventLoop)
                    .connect(host: address.host, port: address.port).get()
                let garbage = ByteBuffer(bytes: (0..<length).map { _ in UInt8.random(in: .min ... .max) })
                // The other end may have closed before all is written.
                try? await channel.writeAndFlush(garbage)
                try? await channel.close(mode: .output)
                try await channel.closeFuture.get()
            }
            // Somebody else's peer may look for a port that was another's before.
            try await eventually("cut off") { try await peers[0].violationCount() >= 5 }
            try await peers[1].setWaits(tube, true)
            #expect(try await peers[0].happenings.next() == .peerWaits(tube))
        }
    }

    @Test func strangersWhoSayNothingAreFewAndNotForLong() async throws {
        try await TestPeer.with(2) { peers in
            let address = peers[0].network.address
            var channels: [any Channel] = []
            for _ in 0..<(PeerLimits.strangersMax + 20) {
                channels.append(
                    try await ClientBootstrap(group: peers[1].network.eventLoop)
                        .connect(host: address.host, port: address.port).get()
                )
            }
            // Those beyond the bound at once, the others when their time is up.
            for channel in channels { try await channel.closeFuture.get() }
            try await peers[1].setWaits(tube, true)
            #expect(try await peers[0].happenings.next() == .peerWaits(tube))
        }
    }

    // MARK: Load

    @Test func aFloodIsMergedAndBounded() async throws {
        try await TestPeer.with(2) { peers in
            let (worker, producer) = (peers[0], peers[1])
            let tubes = (0..<5_000).compactMap { TubeName("tube-\($0)") }
            try await worker.run { network in tubes.forEach { network.setWaits($0, true) } }
            try await eventually("all waits are known") {
                try await producer.run { network in tubes.allSatisfy { network.peersWaiting(on: $0) } }
            }
            // A million pieces of news in one go of the event loop are as many as there are tubes, and no more than fit.
            try await producer.run { network in
                for round in 0..<200 as Range<UInt32> {
                    for tube in tubes { network.tellWork(tube, priority: 1_000 - round) }
                }
            }
            for _ in 0..<PeerLimits.newsMax {
                guard case .work(_, let priority) = try await worker.happenings.next() else {
                    Issue.record("something else than work")
                    return
                }
                #expect(priority == 801)
            }
            try await producer.tellWork(tubes[4_999], priority: 7)
            #expect(try await worker.happenings.next() == .work(tubes[4_999], 7))
        }
    }

    @Test func newsTakeLittleTime() async throws {
        try await TestPeer.with(2) { peers in
            let (worker, producer) = (peers[0], peers[1])
            try await worker.setWaits(tube, true)
            _ = try await producer.happenings.next()
            var times: [Duration] = []
            for round in 0..<500 as Range<UInt32> {
                let began = ContinuousClock.now
                try await producer.tellWork(tube, priority: round)
                #expect(try await worker.happenings.next() == .work(tube, round))
                times.append(ContinuousClock.now - began)
            }
            times.sort()
            print("news to a peer: median \(times[250]), p99 \(times[495])")
        }
    }
}

import Aerospike
import BeanspikeCore
import NIOCore

// A work is made ready (what it makes is listed, the process's footprint covers it) and sent, perhaps behind another that is
// under way: then it is refused unless that one was done. Its outcome is told to those who wait for it, in the order of works.
// What cannot be sent as it is, or fails, is carried out by a task, which has the segment to itself.
extension StoreEngine {
    /// How long a segment is left alone after a work of it failed, or while the process is in doubt.
    private static let restTime = TimeAmount.milliseconds(50)

    /// Sends what has gathered for a segment, as far as works can be under way there.
    func pump(_ segment: Segment) {
        while segment.takesWork, segment.restsUntil <= .now(), !learnsFirst(segment) {
            guard var hand = segment.unprepared.take() ?? gather(segment) else {
                dismissLeftOver(segment)
                return retireOrForget(segment)
            }
            if hand.life != life {
                failed(hand, segment, Self.takenForDead)
            } else if isPrepared(&hand, segment) {
                send(hand, to: segment)
            } else if segment.flights.isEmpty {
                begin(carrying: [Flight(hand)], on: segment)
            } else {
                segment.unprepared = hand
            }
        }
    }

    /// Whether a work can be sent as it is: the process's footprint covers it, and what it makes is listed.
    private func isPrepared(_ hand: inout WorkInHand, _ segment: Segment) -> Bool {
        if hand.work.reserves, !registry.use(segment: segment.number) { return false }
        for (kind, key) in hand.work.keysMade(in: segment.number) {
            guard segment.marks[kind].covers(key) else { return false }
            hand.work.listings[kind] = .init(key: key, epoch: segment.marks[kind].epoch)
        }
        return true
    }

    /// Makes the first try of a work, without a task.
    private func send(_ hand: consuming WorkInHand, to segment: Segment) {
        underWay += 1
        let before = segment.flights.last
        // A node that lost writes may have had others since, and the same generation again: the token tells.
        hand.work.predecessor = before?.sequence ?? (hand.work.picks.isEmpty ? nil : segment.record.lastSequence)
        let flight = Flight(hand, sequence: nextSequence(), generation: segment.record.noteSent())
        segment.flights.append(flight)
        flight.connection = records.send(
            flight.hand.work,
            to: segment.key,
            segment.number,
            process: flight.hand.process,
            sequence: flight.sequence,
            connection: before?.connection
        ) { result in
            self.assumeIsolated { $0.answered(result, flight, segment) }
        }
    }

    private func answered(
        _ result: Result<SegmentWork.Outcome, AerospikeError>,
        _ flight: Flight,
        _ segment: Segment
    ) {
        endedCount += 1
        flight.result = result
        while let first = segment.flights.first, case .success(let outcome) = first.result {
            segment.flights.removeFirst()
            noteGeneration(outcome.generation, first, segment)
            deliver(outcome, first.hand, segment)
            end(segment)
        }
        // Those behind one that failed are refused; all are known before they are gone on with, one after the other.
        if !segment.flights.isEmpty, segment.flights.allSatisfy({ $0.result != nil }) {
            let flights = Array(segment.flights)
            segment.flights = []
            begin(carrying: flights, on: segment)
        }
        // Where nothing else is under way no other answer can have arrived with this one.
        if underWay == endedCount { endTurn() } else { endTurnSoon() }
    }

    private func noteGeneration(_ found: UInt32, _ flight: Flight, _ segment: Segment) {
        let behind = segment.flights.count
        let later = segment.record.noteAnswered(flight.sequence, found, expected: flight.generation, behind: behind)
        for (flight, generation) in zip(segment.flights, later) { flight.generation = generation }
    }

    func deliver(_ outcome: SegmentWork.Outcome, _ hand: WorkInHand, _ segment: Segment) {
        if life == hand.life {
            applied(outcome, hand, segment)
        } else {
            outlived(hand, .applied(outcome), segment)
        }
    }

    /// Has requests go on that no work of the segment had a job for, if none is under way any more.
    private func dismissLeftOver(_ segment: Segment) {
        guard !segment.isBusy, !segment.leftOver.isEmpty else { return }
        let requests = segment.leftOver
        segment.leftOver = []
        goOn(requests)
    }

    /// Something is done with: more may go.
    func end(_ segment: Segment) {
        touch(segment)
        if segment.pops.isEmpty { dismissLeftOver(segment) }
        if segment.isTail || !segment.tube.appends.isEmpty { touch(segment.tube) }
        if segment.tube.tailBefore === segment, !segment.hasPutsUnderWay {
            segment.tube.tailBefore = nil
            if let tail = segment.tube.tail { touch(tail) }
        }
    }

    /// Sends nothing to a segment for a moment.
    func rest(_ segment: Segment) {
        segment.restsUntil = .now() + Self.restTime
        timers.insert(.resume(segment), at: segment.restsUntil)
    }
}

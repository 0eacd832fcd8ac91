import BeanspikeCore
import NIOCore
import Testing

@testable import AerospikeStore

@Suite
struct PortBatchTests {
    @Test
    func keepsOrderAndBodiesWhileEarlierBodiesAreInUse() {
        var batch = PortBatch()
        var kept: [ByteBuffer] = []
        for round in 0..<50 {
            #expect(batch.isEmpty)
            let count = round % 7
            batch.add(.endWait(3))
            batch.begin(count + 1, 9)
            batch.add(.touch(1), UnsafeRawBufferPointer(start: nil, count: 0))
            for number in 0..<count {
                let text = Array("--body \(round).\(number)".utf8)
                let body = ByteRange(offset: 2, count: text.count - 2)
                text.withUnsafeBytes {
                    batch.add(.put(priority: UInt32(number), delaySeconds: 0, ttrSeconds: 1, body: body), $0)
                }
            }
            var taken = batch.take()
            #expect(batch.isEmpty && taken.events.count == 2)
            guard case .submit(9, count + 1) = taken.events[1], case .touch(1) = taken.next().command else {
                Issue.record("The first command is another: \(taken.events)")
                return
            }
            for number in 0..<count {
                let next = taken.next()
                guard case .put(UInt32(number), _, _, _, _) = next.command else {
                    Issue.record("Out of order: \(next.command)")
                    return
                }
                #expect(next.body == ByteBuffer(string: "body \(round).\(number)"))
                kept.append(next.body)
            }
            if round % 3 > 0 { batch.giveBack(&taken) }
        }
        let expected = (0..<50).flatMap { round in (0..<round % 7).map { ByteBuffer(string: "body \(round).\($0)") } }
        #expect(kept == expected)
    }

    @Test
    func isNotGivenBackOverWhatCameMeanwhile() {
        var batch = PortBatch()
        batch.add(.close(1))
        var taken = batch.take()
        batch.add(.close(2))
        batch.giveBack(&taken)
        #expect(batch.events.count == 1)
        guard case .close(2) = batch.events[0] else {
            Issue.record("Another event: \(batch.events)")
            return
        }
    }
}

import Aerospike
import AerospikeTestKit
import AerospikeTestSupport
import NIOCore
import Testing

/// Requests out of bytes, whatever the bytes.
@Suite(.onThreads)
struct RequestFramerTests {
    @Test func requestsAreCutInWhateverPieces() throws {
        var bytes = ByteBuffer()
        try InfoMessage.write(["node"], into: &bytes)
        try bytes.writeRequest(.get(testKey("k"), bins: nil, policy: ReadPolicy()), timeoutMilliseconds: 0)
        bytes.writeSecurity(command: 20, [(0, [1])])
        bytes.writeBytes([2, 4, 0, 0, 0, 0, 0, 1, 9])
        func frames(pieceBytes: Int) throws -> [RequestFramer.Frame] {
            var framer = RequestFramer()
            var rest = bytes
            var frames: [RequestFramer.Frame] = []
            while let piece = rest.readSlice(length: min(pieceBytes, rest.readableBytes)), piece.readableBytes > 0 {
                framer.feed(piece)
                while framer.hasFrame {
                    guard let frame = try framer.next() else { throw RawConnection.Unexpected.frame }
                    frames.append(frame)
                }
                let more = try framer.next()
                #expect(more == nil)
            }
            #expect(framer.bufferedBytes == 0)
            return frames
        }
        let whole = try frames(pieceBytes: bytes.readableBytes)
        #expect(whole.count == 4)
        #expect(whole[0] == .info(ByteBuffer(string: "node\n")))
        #expect(whole[3] == .compressed)
        for pieceBytes in 1...20 {
            #expect(try frames(pieceBytes: pieceBytes) == whole)
        }
    }

    @Test func randomBytesEndOrWait() throws {
        var dice = Dice(seed: 7)
        for _ in 0..<2000 {
            var framer = RequestFramer(bodyBytesMax: 1 << 20)
            var bytes = (0..<Int(dice.next() % 40)).map { _ in UInt8(truncatingIfNeeded: dice.next()) }
            if dice.next() % 2 == 0, bytes.count > 8 {
                bytes.replaceSubrange(0..<8, with: [2, UInt8(dice.next() % 6), 0, 0, 0, 0, 0, UInt8(dice.next() % 40)])
            }
            framer.feed(ByteBuffer(bytes: bytes))
            do {
                while try framer.next() != nil {}
                #expect(framer.bufferedBytes <= bytes.count)
            } catch {
                // It says so again, however often it is asked.
                #expect(framer.hasFrame)
            }
        }
    }

    @Test func randomRequestsCrashNoNode() async throws {
        try await TestCluster.withCluster(nodes: 2, replicationFactor: 2) { cluster in
            var dice = Dice(seed: 11)
            var valid = ByteBuffer()
            let call = RecordRequest.operate(
                testKey("fuzz"),
                [.put("a", 1), .add("a", 1), .get("a")],
                readPolicy: ReadPolicy(),
                writePolicy: WritePolicy()
            )
            try valid.writeRequest(call, timeoutMilliseconds: 10)
            var client = try RawConnection(cluster.seeds[0])
            for _ in 0..<300 {
                // A whole request with some bytes turned, the length of its body as it was.
                var bytes = valid
                for _ in 0..<(1 + dice.next() % 4) {
                    let index = 8 + Int(dice.next() % UInt64(bytes.readableBytes - 8))
                    bytes.setInteger(UInt8(truncatingIfNeeded: dice.next()), at: index)
                }
                try client.send(bytes)
                var info = ByteBuffer()
                try InfoMessage.write(["status"], into: &info)
                try client.send(info)
                // Whatever it is answered with, what follows is answered behind it.
                while true {
                    if case .info(let body) = try client.receive() {
                        #expect(try InfoMessage.parse(body) == ["status": "ok"])
                        break
                    }
                }
            }
            client = try RawConnection(cluster.seeds[1])
            #expect(try client.ask("status") == "ok")
        }
    }
}

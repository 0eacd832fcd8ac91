import Aerospike
import NIOCore
import Testing

@Suite struct ReplyDecoderTests {
    /// A message as a server writes it.
    private static func message(
        _ change: (inout MessageHeader) -> Void = { _ in },
        fields: [(FieldType, [UInt8])] = [],
        bins: [(String, Value)] = []
    ) -> ByteBuffer {
        var header = MessageHeader()
        change(&header)
        header.fieldCount = UInt16(fields.count)
        header.operationCount = UInt16(bins.count)
        var buffer = ByteBuffer()
        let start = buffer.beginMessage()
        for (type, bytes) in fields {
            buffer.writeField(type) { $0.writeBytes(bytes) }
        }
        for (name, value) in bins {
            let operation = buffer.writerIndex
            buffer.writeInteger(UInt32(0))
            buffer.writeBytes([1, value.particleType.rawValue, 0, UInt8(name.utf8.count)])
            buffer.writeString(name)
            buffer.writeParticle(value)
            buffer.setInteger(UInt32(buffer.writerIndex - operation - 4), at: operation)
        }
        buffer.endMessage(at: start, header: header)
        return buffer
    }

    /// Several messages under one header of 8 bytes, as batches and queries are answered.
    private static func body(_ messages: [ByteBuffer]) -> ByteBuffer {
        var parts = ByteBuffer()
        for message in messages {
            parts.writeImmutableBuffer(message.getSlice(at: 8, length: message.readableBytes - 8) ?? ByteBuffer())
        }
        var buffer = ByteBuffer()
        buffer.writeInteger(ProtoHeader(kind: .message, bodyByteCount: parts.readableBytes).word)
        buffer.writeImmutableBuffer(parts)
        return buffer
    }

    private static func frames(_ bytes: ByteBuffer, inPiecesOf size: Int) throws -> [ReplyDecoder.Frame] {
        var decoder = ReplyDecoder()
        var frames: [ReplyDecoder.Frame] = []
        var bytes = bytes
        while let piece = bytes.readSlice(length: min(size, max(1, bytes.readableBytes))) {
            decoder.feed(piece)
            while let frame = try decoder.next() {
                frames.append(frame)
            }
        }
        #expect(!decoder.isMidMessage)
        #expect(decoder.bufferedBytes == 0)
        return frames
    }

    private static let digest = [UInt8](0..<20)

    private static let everything: ByteBuffer = {
        var buffer = message({ $0.generation = 0x1_0002 }, bins: [("a", 5), ("b", ["k": [1, 2]])])
        buffer.writeImmutableBuffer(message { $0.resultCode = 2 })
        buffer.writeInteger(ProtoHeader(kind: .info, bodyByteCount: 6).word)
        buffer.writeString("node\tA")
        buffer.writeImmutableBuffer(
            body([
                message({ $0.timeoutOrIndex = 1 }, bins: [("a", "one")]),
                message({
                    $0.timeoutOrIndex = 0; $0.resultCode = 2
                }),
            ])
        )
        buffer.writeImmutableBuffer(
            body([
                message(
                    fields: [(.namespace, Array("test".utf8)), (.digest, digest), (.set, Array("s".utf8))],
                    bins: [("a", 1)]
                ),
                message {
                    $0.info = .partitionDone; $0.generation = 77
                },
            ])
        )
        buffer.writeImmutableBuffer(message { $0.info = .last })
        return buffer
    }()

    @Test(arguments: [1, 2, 3, 7, 8, 9, 22, 30, 31, 64, 1000])
    func piecesOfAnySizeGiveTheSameFrames(size: Int) throws {
        let frames = try Self.frames(Self.everything, inPiecesOf: size)
        #expect(frames.count == 8)
        #expect(frames == (try Self.frames(Self.everything, inPiecesOf: .max)))
        var messages: [(ReplyMessage, Bool)] = []
        for frame in frames {
            if case .message(let message, let endsBody) = frame {
                messages.append((message, endsBody))
            }
        }
        #expect(frames[2] == .info(ByteBuffer(string: "node\tA")))
        let first = try messages[0].0.record()
        #expect(first.bins == [Bin("a", 5), Bin("b", ["k": [1, 2]])])
        #expect(first.generation == 0x1_0002)
        #expect(messages[1].0.resultCode == .notFound)
        #expect(messages.map(\.1) == [true, true, false, true, false, true, true])
        #expect(messages[2].0.batchIndex == 1)
        #expect(try messages[2].0.record()["a"] == "one")
        #expect(try messages[4].0.key().key == Key(namespace: "test", set: "s", digest: #require(Digest(Self.digest))))
        #expect(messages[5].0.donePartitionID == 77)
        #expect(messages.map(\.0.isLast) == [false, false, false, false, false, false, true])
    }

    @Test func nothingIsGivenOutBeforeItIsWhole() throws {
        let bytes = Self.message(bins: [("a", 5)])
        var decoder = ReplyDecoder()
        for index in 0..<bytes.readableBytes - 1 {
            decoder.feed(try #require(bytes.getSlice(at: index, length: 1)))
            #expect(try decoder.next() == nil)
            #expect(decoder.isMidMessage)
        }
        decoder.feed(try #require(bytes.getSlice(at: bytes.readableBytes - 1, length: 1)))
        #expect(try decoder.next() != nil)
        #expect(try decoder.next() == nil)
    }

    @Test func queriesNameTheirRecords() throws {
        let bytes = Self.message(
            fields: [
                (.namespace, Array("test".utf8)), (.digest, Self.digest), (.userKey, [1, 0, 0, 0, 0, 0, 0, 0, 9]),
                (.indexedValues, [7, 0, 0, 0, 0, 0, 0, 0]), (FieldType(rawValue: 99), [1, 2, 3]),
            ]
        )
        guard case .message(let message, _) = try Self.frames(bytes, inPiecesOf: .max).first else { throw Unexpected() }
        let (key, indexedValue) = try message.key()
        #expect(key.userKey == 9)
        #expect(key.digest.bytes == Self.digest)
        #expect(indexedValue == 7)
        guard case .message(let nameless, _) = try Self.frames(Self.message(), inPiecesOf: .max).first else {
            throw Unexpected()
        }
        #expect(throws: AerospikeError.self) { try nameless.key() }
    }

    @Test(arguments: [
        // Another version.
        ("0103000000000016", ResultCode.malformedReply),
        // No such kind.
        ("0207000000000016", ResultCode.malformedReply),
        // Compressed.
        ("0204000000000016", ResultCode.unsupportedFeature),
        // Shorter than a message's header.
        ("0203000000000015", ResultCode.malformedReply),
        // Longer than allowed.
        ("0203ffffffffffff", ResultCode.malformedReply),
        // A header that says that it has 21 bytes.
        ("020300000000001615000000000000000000000000000000000000000000", ResultCode.malformedReply),
        // One operation, for which there is no room.
        ("020300000000001616000000000000000000000000000000000000000001", ResultCode.malformedReply),
        // One field without even a type.
        ("020300000000001a1600000000000000000000000000000000000001000000000000", ResultCode.malformedReply),
        // One operation of 3 bytes.
        ("020300000000001d1600000000000000000000000000000000000000000100000003010101", ResultCode.malformedReply),
        // One field longer than the message.
        ("020300000000001a160000000000000000000000000000000000000100007fffffff", ResultCode.malformedReply),
        // Bytes after the only message, too few for another.
        ("020300000000001a1600000000000000000000000000000000000000000016000000", ResultCode.malformedReply),
    ])
    func whatIsNotTheProtocolIsRefused(hex: String, code: ResultCode) throws {
        for size in [1, .max] {
            let error = try #require(throws: AerospikeError.self) {
                try Self.frames(ByteBuffer(hex: hex), inPiecesOf: size)
            }
            #expect(error.code == code)
            #expect(!error.message.isEmpty)
        }
    }

    @Test func answersAreMatchedToOperationsOrRefused() throws {
        let key = Key(namespace: "test", "k")
        func answer(_ bins: [(String, Value)], to operations: [Operation]) throws -> [Value] {
            let request = RecordRequest.operate(
                key,
                operations,
                readPolicy: ReadPolicy(),
                writePolicy: WritePolicy()
            )
            guard case .message(let message, _) = try Self.frames(Self.message(bins: bins), inPiecesOf: .max).first
            else {
                throw Unexpected()
            }
            return try message.record(answering: request).values
        }
        #expect(try answer([("a", nil), ("a", 2)], to: [.put("a", 1), .touch, .get("a")]) == [nil, nil, 2])
        #expect(try answer([], to: [.touch]) == [nil])
        #expect(try answer([], to: [.get("a")]) == [nil])
        #expect(try answer([("a", 1), ("b", 2), ("c", 3)], to: [.getAll]) == [1, 2, 3])
        #expect(throws: AerospikeError.self) { try answer([("a", 1)], to: [.get("a"), .get("b")]) }
        #expect(throws: AerospikeError.self) { try answer([("a", 1), ("b", 2)], to: [.get("a")]) }
        #expect(throws: AerospikeError.self) { try answer([], to: [.put("a", 1)]) }
        #expect(throws: AerospikeError.self) { try answer([("a", 1)], to: [.touch]) }
    }

    @Test func operationsThatLieAboutTheirLengthsAreRefused() throws {
        // A name of 200 bytes in an operation of 4, and a time of update where there is no room for one.
        for operation in ["00000004010100c8", "0000000401010100"] {
            let head = "020300000000001e16000000000000000000000000000000000000000001"
            let frames = try Self.frames(ByteBuffer(hex: head + operation), inPiecesOf: .max)
            guard case .message(let message, _) = frames.first else { throw Unexpected() }
            #expect(throws: AerospikeError.self) { try message.record() }
        }
    }

    @Test func randomAndDamagedRepliesNeverTrap() {
        var generator = SeededGenerator(seed: 5)
        for round in 0..<1500 {
            var bytes = round % 3 == 0 ? ByteBuffer(bytes: generator.bytes(200)) : Self.everything
            for _ in 0..<Int.random(in: 1..<6, using: &generator) {
                bytes.setInteger(
                    UInt8.random(in: .min ... .max, using: &generator),
                    at: Int.random(in: 0..<bytes.readableBytes, using: &generator)
                )
            }
            if round % 3 == 0 {
                bytes.setInteger(UInt64(0x0203_0000_0000_0000) + 192, at: 0)
                bytes.setInteger(UInt8(22), at: 8)
            }
            var decoder = ReplyDecoder()
            decoder.feed(bytes)
            while let frame = try? decoder.next() {
                switch frame {
                case .message(let message, _):
                    _ = try? message.record()
                    _ = try? message.key()
                case .info(let body), .security(let body):
                    _ = try? InfoMessage.parse(body)
                }
            }
        }
    }

    @Test func infoRepliesAreLinesOfNamesAndValues() throws {
        let values = try InfoMessage.parse(ByteBuffer(string: "build\t8.1.0.3\nempty\t\nalone\nlist\ta=1;b=2\tc\n\n"))
        #expect(values == ["build": "8.1.0.3", "empty": "", "alone": "", "list": "a=1;b=2\tc"])
        #expect(throws: AerospikeError.self) { try InfoMessage.parse(ByteBuffer(bytes: [0xff, 0xfe])) }
        #expect(InfoMessage.error(in: "8.1.0.3") == nil)
        #expect(InfoMessage.error(in: "ERROR:4:no such thing")?.code == .invalidRequest)
        #expect(InfoMessage.error(in: "FAIL:201:")?.code == .indexNotFound)
        #expect(InfoMessage.error(in: "ERROR::bad")?.code == .server)
        #expect(InfoMessage.error(in: "error=bad") == nil)
    }
}

import Aerospike
import AerospikeTestKit
import BeanspikeCore
import NIOCore
import Testing

@testable import AerospikeStore

/// Bodies in records of their own.
struct BodyStoreTests {
    private func body(_ count: Int) -> ByteBuffer {
        ByteBuffer(bytes: (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) })
    }

    @Test(arguments: StoreUnderTest.all) func bodiesComeBackWhole(_ server: StoreUnderTest) async throws {
        try await server.withClient { client, layout in
            let bodies = BodyStore(client: client, layout: layout, pieceBytes: 1000)
            for count in [0, 1, 999, 1000, 1001, 2000, 12_345] {
                let body = body(count)
                let reference = try await bodies.write(body)
                let read = try #require(BodyReference(reference.encoded))
                #expect(read == reference)
                #expect(reference.encoded.readableBytes <= 32)
                #expect(try await bodies.read(read) == body)
                try await bodies.delete(read)
                try await bodies.delete(read)
                if count > 0 {
                    await #expect { try await bodies.read(read) } throws: { error in
                        (error as? JobStoreError)?.code == .readFailed
                    }
                }
            }
        }
    }

    @Test(arguments: StoreUnderTest.all) func theLongestBodyComesBack(_ server: StoreUnderTest) async throws {
        try await server.withClient { client, layout in
            let bodies = BodyStore(client: client, layout: layout)
            let body = ByteBuffer(repeating: 0x5a, count: StoreLimits.bodyBytesMax)
            let reference = try await bodies.write(body)
            #expect(reference.pieceCount == 68)
            #expect(try await bodies.read(reference) == body)
            try await bodies.delete(reference)
            let tooLong = ByteBuffer(repeating: 0, count: StoreLimits.bodyBytesMax + 1)
            await #expect { try await bodies.write(tooLong) } throws: { error in
                (error as? JobStoreError)?.code == .limitReached
            }
        }
    }

    @Test func aShortBodyTakesOneRoundTrip() async throws {
        try await StoreUnderTest(isReal: false).withClient { client, layout in
            let bodies = BodyStore(client: client, layout: layout)
            let reference = try await bodies.write(body(600))
            try await client.expect(requests: 1) { _ = try await bodies.write(body(600)) }
            try await client.expect(requests: 1) { _ = try await bodies.read(reference) }
            try await client.expect(requests: 1) { try await bodies.delete(reference) }
        }
    }

    @Test func aPieceThatIsGoneOrCutIsToldOf() async throws {
        try await StoreUnderTest(isReal: false).withClient { client, layout in
            let bodies = BodyStore(client: client, layout: layout, pieceBytes: 100)
            let reference = try await bodies.write(body(350))
            let key = layout.key(.bodies, .string(reference.name(ofPiece: 2)))
            try await client.put(key, ["b": .bytes([1, 2, 3])])
            await #expect { try await bodies.read(reference) } throws: { error in
                "\(error)" == "Piece 3 of 4 of a body has 3 bytes instead of 100."
            }
            try await client.delete(key)
            await #expect { try await bodies.read(reference) } throws: { error in
                "\(error)".hasPrefix("Piece 3 of 4 of a body is missing in the cluster.")
            }
        }
    }

    @Test func bytesThatAreNoReferenceAreRefused() {
        #expect(BodyReference(ByteBuffer()) == nil)
        #expect(BodyReference(ByteBuffer(repeating: 0, count: 24)) == nil)
        #expect(BodyReference(ByteBuffer(repeating: 0xff, count: 24)) == nil)
        #expect(BodyReference(ByteBuffer(repeating: 1, count: 23)) == nil)
    }
}

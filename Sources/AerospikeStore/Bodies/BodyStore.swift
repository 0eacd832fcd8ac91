package import Aerospike
import BeanspikeCore
package import NIOCore

/// Bodies that are too long to be kept with their jobs, each in records of its own.
///
/// A body is written before its job refers to it, and deleted after the job is gone. Whoever dies in between leaves
/// records that nobody refers to, and so does a node of the Community Edition that starts with deletes forgotten: they take
/// room and do no harm, since no name is ever used twice.
package struct BodyStore: Sendable {
    private let client: AerospikeClient
    private let layout: StoreLayout
    private let call: CallPolicy
    /// The length of a piece.
    private let pieceBytes: Int

    /// The most pieces of a body on their way at once.
    static let piecesAtOnce = 4

    /// The bodies of a queue.
    package init(client: AerospikeClient, layout: StoreLayout) {
        self.init(client: client, layout: layout, pieceBytes: StoreLimits.bodyPieceBytesMax)
    }

    init(client: AerospikeClient, layout: StoreLayout, pieceBytes: Int) {
        self.client = client
        self.layout = layout
        self.pieceBytes = pieceBytes
        // A piece that is written or deleted twice is as it should be.
        var call = client.configuration.call
        call.retriesInDoubt = true
        self.call = call
    }

    /// Keeps a body; one round trip for a body of one piece.
    ///
    /// - Parameter body: the body, of at most ``StoreLimits/bodyBytesMax`` bytes.
    /// - Returns: where it is, once all of it is.
    /// - Throws: `AerospikeError`; `JobStoreError` with `limitReached` for a longer body.
    package func write(_ body: ByteBuffer) async throws -> BodyReference {
        guard body.readableBytes <= StoreLimits.bodyBytesMax else {
            throw JobStoreError(
                .limitReached,
                "A body has at most \(StoreLimits.bodyBytesMax) bytes, not \(body.readableBytes)."
            )
        }
        let reference = BodyReference(
            high: .random(in: 0 ... .max),
            low: .random(in: 0 ... .max),
            byteCount: body.readableBytes,
            pieceBytes: pieceBytes
        )
        var policy = WritePolicy()
        policy.exists = .createOrReplace
        policy.call = call
        do {
            _ = try await mapPieces(of: reference) { [policy] piece in
                let range = reference.range(ofPiece: piece)
                let bytes = body.getSlice(at: body.readerIndex + range.lowerBound, length: range.count) ?? ByteBuffer()
                _ = try await tryingAgain { () throws(AerospikeError) in
                    try await client.put(key(reference, piece), ["b": .blob(bytes)], policy: policy)
                }
            }
        } catch {
            // Nobody will ever refer to what was written. What cannot be deleted now stays.
            try? await delete(reference)
            throw error
        }
        return reference
    }

    /// Reads a body; one round trip for a body of one piece.
    ///
    /// - Parameter reference: where it is.
    /// - Returns: the body.
    /// - Throws: `AerospikeError`; `JobStoreError` with `readFailed` if a piece of it is missing or too short.
    package func read(_ reference: BodyReference) async throws -> ByteBuffer {
        let pieces = try await mapPieces(of: reference) { piece in try await read(reference, piece) }
        guard pieces.count != 1 else { return pieces[0] }
        var body = ByteBuffer()
        body.reserveCapacity(reference.byteCount)
        for piece in pieces {
            body.writeImmutableBuffer(piece)
        }
        return body
    }

    /// Deletes a body; one that is gone already is no error.
    package func delete(_ reference: BodyReference) async throws {
        var policy = WritePolicy()
        policy.call = call
        _ = try await mapPieces(of: reference) { [policy] piece in
            _ = try await client.delete(key(reference, piece), policy: policy)
        }
    }

    // MARK: Pieces

    private func key(_ reference: BodyReference, _ piece: Int) -> Key {
        layout.key(.bodies, .string(reference.name(ofPiece: piece)))
    }

    private func read(_ reference: BodyReference, _ piece: Int) async throws -> ByteBuffer {
        let place = "Piece \(piece + 1) of \(reference.pieceCount) of a body"
        let record = try await tryingAgain { () throws(AerospikeError) in
            try await client.get(key(reference, piece), bins: ["b"])
        }
        guard let bytes = record?["b"]?.blob else {
            throw JobStoreError(
                .readFailed,
                "\(place) is missing in the cluster. Somebody deleted it, or nodes were lost that had its only copies."
            )
        }
        let wanted = reference.range(ofPiece: piece).count
        guard bytes.readableBytes == wanted else {
            throw JobStoreError(.readFailed, "\(place) has \(bytes.readableBytes) bytes instead of \(wanted).")
        }
        return bytes
    }

    /// Does something for each piece, for a few at once.
    private func mapPieces<Output: Sendable>(
        of reference: BodyReference,
        _ body: @escaping @Sendable (Int) async throws -> Output
    ) async throws -> [Output] {
        guard reference.pieceCount > 1 else {
            return reference.pieceCount == 1 ? [try await body(0)] : []
        }
        return try await withThrowingTaskGroup(of: (Int, Output).self) { group in
            var outputs = [Output?](repeating: nil, count: reference.pieceCount)
            for piece in 0..<reference.pieceCount {
                if piece >= Self.piecesAtOnce, let (done, output) = try await group.next() { outputs[done] = output }
                group.addTask { (piece, try await body(piece)) }
            }
            while let (done, output) = try await group.next() { outputs[done] = output }
            return outputs.compactMap { $0 }
        }
    }
}

public import BeanspikeCore
import CLZ4

/// Makes bodies smaller with LZ4 before a store keeps them, and whole again before anybody sees them.
///
/// What a store keeps is one LZ4 block (liblz4, `lz4_Block_format.md`), whose whole size is in the job's attributes
/// (``JobAttributes/originalBodyBytes``). A block that saves nothing is not kept: then the body is stored as it came, and
/// the attributes say that it was tried.
public struct BodyCompressor: Sendable, Equatable {
    /// Shorter bodies are not tried, in bytes; 2,048 unless set.
    public var bodyBytesMin: Int

    /// A compressor.
    ///
    /// - Parameter bodyBytesMin: shorter bodies are not tried, in bytes.
    public init(bodyBytesMin: Int = Limits.compressionBytesMinDefault) {
        self.bodyBytesMin = max(1, bodyBytesMin)
    }

    /// Compresses a body where that saves something.
    ///
    /// - Parameters:
    ///   - body: the body as it came.
    ///   - bytes: what the compressed body is added to; nothing is where the form is not compressed.
    /// - Returns: how the body is to be stored: only where ``BodyForm/originalBodyBytes`` is not 0, as what was added.
    public func compress(_ body: UnsafeRawBufferPointer, into bytes: inout [UInt8]) -> BodyForm {
        // LZ4's own limit is above that of the largest body (asserted by a test).
        guard body.count >= bodyBytesMin, body.count <= Limits.bodyBytesMaxCeiling, let source = body.baseAddress else {
            return .plain
        }
        let start = bytes.count
        // A block as long as the body saves nothing, so there is no room for one: LZ4 then gives up early.
        let capacity = body.count - 1
        guard capacity > 0 else { return .skipped }
        bytes.append(contentsOf: repeatElement(0, count: capacity))
        let count = bytes.withUnsafeMutableBytes { room in
            guard let base = room.baseAddress else { return 0 }
            return Int(
                LZ4_compress_default(
                    source.assumingMemoryBound(to: CChar.self),
                    (base + start).assumingMemoryBound(to: CChar.self),
                    Int32(body.count),
                    Int32(capacity)
                )
            )
        }
        bytes.removeLast(capacity - max(0, count))
        return count > 0 ? .compressed(originalBodyBytes: UInt32(body.count)) : .skipped
    }

    /// The body as it was before it was compressed.
    ///
    /// - Parameters:
    ///   - stored: what the store keeps; any bytes may be given.
    ///   - originalBodyBytes: the size that is to come out, in bytes.
    /// - Returns: the body, of exactly that size.
    /// - Throws: `JobStoreError.Code.readFailed` where the bytes are no block of that size.
    public static func decompress(
        _ stored: UnsafeRawBufferPointer,
        originalBodyBytes: UInt32
    ) throws(JobStoreError) -> [UInt8] {
        let count = Int(originalBodyBytes)
        // Memory is asked for by what the block can hold at most, not by what somebody wrote beside it.
        guard count <= Limits.bodyBytesMaxCeiling, stored.count <= Limits.bodyBytesMaxCeiling,
            count <= stored.count * Limits.decompressionFactorMax, let source = stored.baseAddress
        else { throw damaged(stored.count, count) }
        var written = 0
        let body = [UInt8](unsafeUninitializedCapacity: count) { room, filled in
            guard let base = room.baseAddress else { return }
            written = Int(
                LZ4_decompress_safe(
                    source.assumingMemoryBound(to: CChar.self),
                    UnsafeMutableRawPointer(base).assumingMemoryBound(to: CChar.self),
                    Int32(stored.count),
                    Int32(count)
                )
            )
            filled = max(0, written)
        }
        guard written == count else { throw damaged(stored.count, count) }
        return body
    }

    private static func damaged(_ stored: Int, _ original: Int) -> JobStoreError {
        JobStoreError(
            .readFailed,
            "A compressed body of \(stored) bytes does not make \(original) bytes: it is damaged. Bury or delete its job."
        )
    }
}

import BeanspikeCore
import BodyCompression

/// Between bodies as clients send and get them, and as the store keeps them.
enum StoredBodies {
    private static let compressor = BodyCompressor()

    /// Gives a store commands whose bodies are compressed where that saves something.
    ///
    /// - Parameters:
    ///   - commands: what came.
    ///   - bytes: what the commands' ranges point into.
    ///   - submit: called with the commands as the store is to get them, and what their ranges point into then.
    static func compress(
        _ commands: [Command],
        _ bytes: UnsafeRawBufferPointer,
        submit: ([Command], UnsafeRawBufferPointer) -> Void
    ) {
        guard commands.contains(where: { ($0.body?.count ?? 0) >= compressor.bodyBytesMin }) else {
            return submit(commands, bytes)
        }
        var stored: [UInt8] = []
        var changed = commands
        for index in changed.indices {
            guard case .put(let priority, let delay, let ttr, let range, let attributes) = changed[index] else {
                continue
            }
            let body = UnsafeRawBufferPointer(rebasing: bytes[range.offset..<range.offset + range.count])
            let offset = stored.count
            let form = compressor.compress(body, into: &stored)
            if form.originalBodyBytes == 0 { stored.append(contentsOf: body) }
            changed[index] = .put(
                priority: priority,
                delaySeconds: delay,
                ttrSeconds: ttr,
                body: ByteRange(offset: offset, count: stored.count - offset),
                attributes: form == .plain ? attributes : (attributes ?? JobAttributes()).with(form: form)
            )
        }
        stored.withUnsafeBytes { submit(changed, $0) }
    }

    /// A reply whose body is compressed, as its client is to get it, with the body that it points to.
    ///
    /// - Parameters:
    ///   - reply: what the store says.
    ///   - view: the job in it.
    ///   - bytes: what the job's range points into.
    /// - Returns: the reply and its body; a failure where the body is damaged.
    static func decompress(_ reply: Reply, _ view: JobView, _ bytes: [UInt8]) -> (Reply, [UInt8]) {
        var reply = reply
        var body: [UInt8] = []
        bytes.withUnsafeBytes { bytes in
            let stored = UnsafeRawBufferPointer(rebasing: bytes[view.body.offset..<view.body.offset + view.body.count])
            do throws(JobStoreError) {
                body = try BodyCompressor.decompress(
                    stored,
                    originalBodyBytes: view.attributes?.originalBodyBytes ?? 0
                )
                reply.body = ByteRange(offset: 0, count: body.count)
            } catch {
                reply = .failed(error)
            }
        }
        return (reply, body)
    }
}

extension Reply {
    /// The job that is handed out, where its body is compressed.
    @inline(__always)
    var compressedJob: JobView? {
        switch self {
        case .reserved(let view), .found(let view): view.attributes?.isCompressed == true ? view : nil
        default: nil
        }
    }
}

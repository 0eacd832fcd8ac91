import BeanspikeCore
import BodyCompression
import Logging

extension Connection {
    /// Reserves jobs of some tubes.
    ///
    /// - Parameters:
    ///   - wait: how long to wait for the first.
    ///   - count: how many at most, at least 1.
    ///   - tubes: of which tubes, at least one.
    /// - Returns: the jobs, with the lane's first tube for theirs.
    /// - Throws: ``BeanspikeError``, or `CancellationError`; what came then is back in the queue.
    func reserve(_ wait: ReserveWait, upTo count: Int, of tubes: [Tube]) async throws -> [Job] {
        guard let tube = tubes.first else { return [] }
        let lane = lanes.take(tubes.map(\.tubeName))
        // Only the first waits: what comes after it is what is there.
        let commands = [Command.reserve(wait)] + repeatElement(.reserve(.none), count: max(1, count) - 1)
        // Cancelled, the lane is gone, and with it what it held.
        let answers = try await link.runCancellable(Call(commands), on: lane)
        var handed: [(view: JobView, body: [UInt8], reservation: Reservation)] = []
        var failure: JobStoreError?
        for answer in answers {
            switch answer.reply {
            case .reserved(let view): handed.append((view, answer.body, Reservation(view, lane: lane)))
            case .failed(let error): failure = failure ?? error
            default: break
            }
        }
        guard !handed.isEmpty else {
            lanes.giveBack(lane)
            if let failure { throw BeanspikeError(failure) }
            return []
        }
        lanes.hold(handed.map(\.reservation), on: lane)
        var jobs: [Job] = []
        for (view, stored, reservation) in handed {
            do {
                let body = try whole(stored, view.attributes)
                jobs.append(Job(view, body: body, tube: tube, reservation: reservation))
            } catch {
                // Nobody can work on it, and it would come again and again.
                failure = error
                logger.error("a job's body is damaged", metadata: ["job": "\(view.id)", "tube": "\(tube.name)"])
                try await bury(view.id, reservation, "damaged: \(error.message)", in: tube.tubeName)
            }
        }
        if jobs.isEmpty, let failure { throw BeanspikeError(failure) }
        note("tube.reserve.count", tube.tubeName, jobs.count)
        return jobs
    }

    // MARK: - Bodies

    /// The body as it is stored.
    func stored(_ body: [UInt8], compress: Bool) -> (bytes: [UInt8], form: BodyForm) {
        guard compress else { return (body, .plain) }
        var bytes: [UInt8] = []
        let form = body.withUnsafeBytes { compressor.compress($0, into: &bytes) }
        return form.originalBodyBytes > 0 ? (bytes, form) : (body, form)
    }

    /// The body as it was put.
    func whole(_ stored: [UInt8], _ attributes: JobAttributes?) throws(JobStoreError) -> [UInt8] {
        guard let attributes, attributes.isCompressed else { return stored }
        var body: [UInt8] = []
        var failure: JobStoreError?
        stored.withUnsafeBytes { bytes in
            do throws(JobStoreError) {
                body = try BodyCompressor.decompress(bytes, originalBodyBytes: attributes.originalBodyBytes)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return body
    }
}

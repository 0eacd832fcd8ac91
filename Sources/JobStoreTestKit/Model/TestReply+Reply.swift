import BeanspikeCore

extension TestReply {
    /// The reply as a store gives it, its body added to `batch`.
    func stored(in batch: inout ReplyBatch) -> Reply {
        switch self {
        case .inserted(let id): .inserted(id)
        case .reserved(let job): .reserved(job.stored(in: &batch))
        case .found(let job): .found(job.stored(in: &batch))
        case .deleted: .deleted
        case .released: .released
        case .buried: .buried
        case .touched: .touched
        case .updated: .updated
        case .kicked(let count): .kicked(count)
        case .kickedJob: .kickedJob
        case .notFound: .notFound
        case .timedOut: .timedOut
        case .deadlineSoon: .deadlineSoon
        case .using(let tube): .using(tube)
        case .watching(let count): .watching(count)
        case .notIgnored: .notIgnored
        case .paused: .paused
        case .truncated(let count): .truncated(count)
        case .jobStatistics(let statistics): .jobStatistics(statistics)
        case .tubeStatistics(let statistics): .tubeStatistics(statistics)
        case .storeStatistics(let statistics): .storeStatistics(statistics)
        case .tubes(let names): .tubes(names)
        case .failed(let error): .failed(error)
        }
    }
}

extension TestJob {
    fileprivate func stored(in batch: inout ReplyBatch) -> JobView {
        JobView(
            id: id,
            body: body.withUnsafeBytes { batch.append(body: $0) },
            priority: priority,
            ttrSeconds: ttrSeconds,
            reserves: reserves,
            attributes: attributes
        )
    }
}

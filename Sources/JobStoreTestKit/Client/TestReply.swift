public import BeanspikeCore

/// A job that was handed out, with its body.
public struct TestJob: Sendable, Equatable, CustomStringConvertible {
    /// The job's number.
    public var id: JobID
    /// Its body.
    public var body: [UInt8]
    /// Smaller is more urgent.
    public var priority: UInt32
    /// How long a reservation lasts in seconds; 0 means without end.
    public var ttrSeconds: UInt32
    /// How often the job was reserved.
    public var reserves: UInt32
    /// What else it carries; a job without attributes is taken to have the default ones.
    public var attributes: JobAttributes

    /// In short, with the size of the body alone.
    public var description: String {
        "job \(id) (priority \(priority), ttr \(ttrSeconds), reserves \(reserves), \(body.count) bytes\(extras))"
    }

    private var extras: String { attributes == JobAttributes() ? "" : ", \(attributes.summary)" }
}

extension JobAttributes {
    var summary: String {
        "metadata \(metadata.count) B, born \(timeOfBirthMilliseconds), retries \(retries)/\(retryFlag), "
            + "reason '\(buryReason.prefix(20))', original \(originalBodyBytes) B, skipped \(isCompressionSkipped)"
    }
}

/// A ``Reply`` that can be compared: bodies are in it, and what stores may differ in is left out.
///
/// Left out: where in a journal a job is, and the clock's own numbers (``JobLifecycle/deadline``; the seconds left
/// are compared). Lists of tubes are sorted.
public enum TestReply: Sendable, Equatable {
    case inserted(JobID)
    case reserved(TestJob)
    case found(TestJob)
    case deleted, released, buried, touched, updated
    case kicked(UInt64)
    case kickedJob, notFound, timedOut, deadlineSoon
    case using(TubeName)
    case watching(Int)
    case notIgnored, paused
    case truncated(UInt64)
    case jobStatistics(JobStatistics)
    case tubeStatistics(TubeStatistics)
    case storeStatistics(StoreStatistics)
    case tubes([TubeName])
    case failed(JobStoreError)

    /// The reply with bodies copied out of `bytes`.
    ///
    /// - Throws: ``ConformanceFailure`` where a body lies outside of `bytes`.
    init(_ reply: Reply, bytes: [UInt8]) throws {
        switch reply {
        case .inserted(let id): self = .inserted(id)
        case .reserved(let view): self = .reserved(try TestJob(view, bytes: bytes))
        case .found(let view): self = .found(try TestJob(view, bytes: bytes))
        case .deleted: self = .deleted
        case .released: self = .released
        case .buried: self = .buried
        case .touched: self = .touched
        case .updated: self = .updated
        case .kicked(let count): self = .kicked(count)
        case .kickedJob: self = .kickedJob
        case .notFound: self = .notFound
        case .timedOut: self = .timedOut
        case .deadlineSoon: self = .deadlineSoon
        case .using(let tube): self = .using(tube)
        case .watching(let count): self = .watching(count)
        case .notIgnored: self = .notIgnored
        case .paused: self = .paused
        case .truncated(let count): self = .truncated(count)
        case .jobStatistics(let statistics): self = .jobStatistics(statistics.comparable)
        case .tubeStatistics(let statistics): self = .tubeStatistics(statistics)
        case .storeStatistics(let statistics): self = .storeStatistics(statistics.comparable)
        case .tubes(let names): self = .tubes(names.sorted())
        case .failed(let error): self = .failed(error)
        }
    }
}

extension TestJob {
    init(_ view: JobView, bytes: [UInt8]) throws {
        let range = view.body
        guard range.offset >= 0, range.count >= 0, range.offset + range.count <= bytes.count else {
            throw ConformanceFailure("the body of job \(view.id) lies outside of its batch: \(range)")
        }
        self.init(
            id: view.id,
            body: Array(bytes[range.offset..<range.offset + range.count]),
            priority: view.priority,
            ttrSeconds: view.ttrSeconds,
            reserves: view.reserves,
            attributes: view.attributes ?? JobAttributes()
        )
    }
}

extension JobStatistics {
    /// Without what stores may differ in.
    var comparable: JobStatistics {
        var copy = self
        copy.journalFile = 0
        copy.lifecycle.deadline = .never
        copy.attributes = attributes ?? JobAttributes()
        return copy
    }
}

extension StoreStatistics {
    /// Without what stores may differ in.
    var comparable: StoreStatistics {
        var copy = self
        copy.journal = JournalStatistics()
        return copy
    }
}

import BeanspikeCore

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// A job as somebody sees it who does not hold it.
public struct JobSnapshot: Sendable, Identifiable {
    /// The job's number.
    public let id: Job.ID
    /// The body as it was put.
    public let body: [UInt8]
    /// How long it is held without a touch; nil for without end.
    public let timeToRun: Duration?
    /// Smaller is more urgent.
    public let priority: UInt32
    /// How often it was reserved.
    public let reserves: Int
    /// How often it was released to be tried again.
    public let retries: Int
    /// Whether the last release was a retry.
    public let isRetry: Bool
    /// When the work was born, in milliseconds; nil where nobody said so.
    public let timeOfBirth: Date?
    /// The producer's own text.
    public let metadata: String
    /// Why it was buried when it was last, if it ever was.
    public let buryReason: String?

    /// The body as text; bytes that are no UTF-8 are replaced.
    public var text: String { String(decoding: body, as: UTF8.self) }

    init(_ view: JobView, body: [UInt8]) {
        let attributes = view.attributes
        id = view.id
        self.body = body
        timeToRun = view.ttrSeconds == 0 ? nil : .seconds(Int64(view.ttrSeconds))
        priority = view.priority
        reserves = Int(view.reserves)
        retries = Int(attributes?.retries ?? 0)
        isRetry = attributes?.retryFlag ?? false
        timeOfBirth = Date(birthMilliseconds: attributes?.timeOfBirthMilliseconds ?? 0)
        metadata = JobMetadata(attributes?.metadata ?? []).text
        buryReason = attributes.flatMap { $0.buryReason.isEmpty ? nil : $0.buryReason }
    }
}

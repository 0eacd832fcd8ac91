import BeanspikeCore

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// A job that was reserved: some bytes to work on, and what to say when that is done.
///
/// It is held until it is deleted, released or buried, until its time to run is over, or until its connection is closed.
/// Letting go of the value changes nothing: a job without a time to run stays held.
public struct Job: Sendable, Identifiable {
    /// A job's number, never used twice in a queue.
    public typealias ID = UInt64

    /// The job's number.
    public let id: ID
    /// The tube that it is in.
    public let tube: Tube
    /// The body as it was put.
    public let body: [UInt8]
    /// How long it is held without a touch; nil for without end.
    public let timeToRun: Duration?
    /// Smaller is more urgent.
    public let priority: UInt32
    /// How often it was reserved, this time included.
    public let reserves: Int
    /// How often it was released to be tried again.
    public let retries: Int
    /// Whether the last release was a retry.
    public let isRetry: Bool
    /// When the work was born, in milliseconds: when it was put, unless the producer said something else.
    ///
    /// nil for a job that a client of a server put, which says nothing of it.
    public let timeOfBirth: Date?
    /// The producer's own text.
    public let metadata: String
    /// Why it was buried when it was last, if it ever was.
    public let buryReason: String?

    /// What instruments of tracing sent along.
    let traceContext: [String: String]
    let reservation: Reservation

    /// The body as text; bytes that are no UTF-8 are replaced.
    public var text: String { String(decoding: body, as: UTF8.self) }

    init(_ view: JobView, body: [UInt8], tube: Tube, reservation: Reservation) {
        let attributes = view.attributes
        let metadata = JobMetadata(attributes?.metadata ?? [])
        id = view.id
        self.tube = tube
        self.body = body
        timeToRun = view.ttrSeconds == 0 ? nil : .seconds(Int64(view.ttrSeconds))
        priority = view.priority
        reserves = Int(view.reserves)
        retries = Int(attributes?.retries ?? 0)
        isRetry = attributes?.retryFlag ?? false
        timeOfBirth = Date(birthMilliseconds: attributes?.timeOfBirthMilliseconds ?? 0)
        self.metadata = metadata.text
        buryReason = attributes.flatMap { $0.buryReason.isEmpty ? nil : $0.buryReason }
        traceContext = metadata.context
        self.reservation = reservation
    }

    /// The same job, said to be of another tube.
    init(_ other: Job, tube: Tube) {
        id = other.id
        self.tube = tube
        body = other.body
        timeToRun = other.timeToRun
        priority = other.priority
        reserves = other.reserves
        retries = other.retries
        isRetry = other.isRetry
        timeOfBirth = other.timeOfBirth
        metadata = other.metadata
        buryReason = other.buryReason
        traceContext = other.traceContext
        reservation = other.reservation
    }

    // MARK: - What becomes of it

    /// Starts the time to run anew.
    ///
    /// - Throws: ``BeanspikeError`` with `touchNotNeeded`, `timedOut`, `notHolder` or `jobNotFound`; all but the first mean
    ///   that the work is to be abandoned.
    public func touch() async throws {
        try await tube.connection.touch(reservation, in: tube.tubeName)
    }

    /// Deletes the job: the work is done.
    ///
    /// - Returns: false where it was gone already.
    /// - Throws: ``BeanspikeError`` with `timedOut` where another holds it now.
    @discardableResult
    public func delete() async throws -> Bool {
        try await tube.connection.delete(id, reservation, in: tube.tubeName)
    }

    /// Gives the job back.
    ///
    /// - Parameters:
    ///   - delay: how long it is not handed out, rounded up to seconds.
    ///   - isRetry: whether to count a retry, and to flag the job as one that is tried again.
    ///   - priority: another priority; nil for the one that it has.
    /// - Throws: ``BeanspikeError`` with `timedOut`, `notHolder` or `jobNotFound`.
    public func release(delay: Duration = .zero, isRetry: Bool = false, priority: UInt32? = nil) async throws {
        try await tube.connection.release(id, reservation, delay, isRetry, priority, in: tube.tubeName)
    }

    /// Sets the job aside until somebody kicks or deletes it.
    ///
    /// - Parameter reason: why; at most 1,024 bytes are kept.
    /// - Throws: ``BeanspikeError`` with `timedOut`, `notHolder` or `jobNotFound`.
    public func bury(reason: String = "") async throws {
        try await tube.connection.bury(id, reservation, reason, in: tube.tubeName)
    }

    /// Gives the job another body, and starts its time to run anew; the value at hand keeps the old one.
    ///
    /// - Parameters:
    ///   - body: the new body.
    ///   - compress: whether to try to compress it.
    /// - Throws: ``BeanspikeError`` with `timedOut`, `notHolder`, `jobNotFound`, `limitReached` or `outOfSpace`.
    public func update(body: some Sequence<UInt8>, compress: Bool = false) async throws {
        try await tube.connection.update(id, reservation, Array(body), compress, in: tube.tubeName)
    }
}

extension Date {
    /// The instant so many milliseconds after the beginning of 1970; nil for 0, which stands for not told.
    init?(birthMilliseconds: Int64) {
        guard birthMilliseconds != 0 else { return nil }
        self.init(timeIntervalSince1970: Double(birthMilliseconds) / 1_000)
    }

    /// Milliseconds since the beginning of 1970.
    var milliseconds: Int64 {
        let milliseconds = (timeIntervalSince1970 * 1_000).rounded(.down)
        // Dates beyond what 64 bits hold mean nothing to a queue.
        return Int64(exactly: milliseconds) ?? (milliseconds < 0 ? .min : .max)
    }
}

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// How a worker's payload is written to a body and read from it.
public struct JobCoding<Payload: Sendable>: Sendable {
    /// Writes a payload.
    public var encode: @Sendable (Payload) throws -> [UInt8]
    /// Reads a payload; what it throws is the reason why the job is buried.
    public var decode: @Sendable ([UInt8]) throws -> Payload

    /// Your own coding.
    ///
    /// - Parameters:
    ///   - encode: writes a payload.
    ///   - decode: reads a payload.
    public init(
        encode: @escaping @Sendable (Payload) throws -> [UInt8],
        decode: @escaping @Sendable ([UInt8]) throws -> Payload
    ) {
        self.encode = encode
        self.decode = decode
    }
}

extension JobCoding where Payload: Codable {
    /// JSON, with dates as ISO 8601.
    public static var json: JobCoding {
        JobCoding(
            encode: { payload in
                let encoder = JSONEncoder()
                encoder.dateEncodingStrategy = .iso8601
                return Array(try encoder.encode(payload))
            },
            decode: { body in
                let decoder = JSONDecoder()
                decoder.dateDecodingStrategy = .iso8601
                return try decoder.decode(Payload.self, from: Data(body))
            }
        )
    }
}

extension JobCoding where Payload == [UInt8] {
    /// The body as it is.
    public static var bytes: JobCoding { JobCoding(encode: { $0 }, decode: { $0 }) }
}

extension JobCoding where Payload == String {
    /// UTF-8; a body that is none is undecodable.
    public static var text: JobCoding {
        JobCoding(
            encode: { Array($0.utf8) },
            decode: { body in
                guard let text = String(validating: body, as: UTF8.self) else {
                    throw BeanspikeError(.invalidArgument, "The body is no UTF-8.")
                }
                return text
            }
        )
    }
}

extension Tube {
    /// Puts a job whose body is a payload.
    ///
    /// - Parameters:
    ///   - payload: the work.
    ///   - coding: how it is written.
    ///   - delay: how long it is not handed out, rounded up to seconds.
    ///   - timeToRun: how long who reserved it has without a touch; nil for until it is released.
    ///   - compress: whether to try to compress the body.
    ///   - priority: smaller is more urgent.
    ///   - metadata: a text of your own that goes with the job.
    /// - Returns: the job's number.
    /// - Throws: ``BeanspikeError``, or what the coding throws.
    @discardableResult
    public func put<Payload>(
        _ payload: Payload,
        as coding: JobCoding<Payload>,
        delay: Duration = .zero,
        timeToRun: Duration? = nil,
        compress: Bool = false,
        priority: UInt32 = Tube.priorityDefault,
        metadata: String = ""
    ) async throws -> Job.ID {
        try await put(
            try coding.encode(payload),
            delay: delay,
            timeToRun: timeToRun,
            compress: compress,
            priority: priority,
            metadata: metadata
        )
    }
}

/// What a job may carry beside what beanstalkd knows; most jobs have none of it.
///
/// These come from the original Beanspike. A final class, so that a job without attributes pays one pointer.
public final class JobAttributes: Sendable, Equatable {
    /// The producer's own bytes, at most ``Limits/metadataBytesMax``.
    public let metadata: [UInt8]
    /// When the work was born, where that was earlier than the put: milliseconds since 1970, 0 when not told.
    public let timeOfBirthMilliseconds: Int64
    /// How often the job was released to be tried again.
    public let retries: UInt32
    /// Whether the last release was a retry.
    public let retryFlag: Bool
    /// Why the job was buried, at most ``Limits/buryReasonBytesMax`` bytes of UTF-8; empty when not told.
    public let buryReason: String
    /// The body's size before compression, in bytes; 0 when the body is stored as it came.
    public let originalBodyBytes: UInt32
    /// Whether compression was tried and saved nothing.
    public let isCompressionSkipped: Bool

    /// Attributes; each has the value that a job without attributes is taken to have.
    public init(
        metadata: [UInt8] = [],
        timeOfBirthMilliseconds: Int64 = 0,
        retries: UInt32 = 0,
        retryFlag: Bool = false,
        buryReason: String = "",
        originalBodyBytes: UInt32 = 0,
        isCompressionSkipped: Bool = false
    ) {
        self.metadata = metadata
        self.timeOfBirthMilliseconds = timeOfBirthMilliseconds
        self.retries = retries
        self.retryFlag = retryFlag
        self.buryReason = Self.cut(buryReason)
        self.originalBodyBytes = originalBodyBytes
        self.isCompressionSkipped = isCompressionSkipped
    }

    /// As much of the reason as is kept, in whole characters.
    private static func cut(_ reason: String) -> String {
        let bytes = reason.utf8
        guard bytes.count > Limits.buryReasonBytesMax else { return reason }
        // A character of UTF-8 has at most four bytes, so one of these ends behind a whole one.
        for count in stride(from: Limits.buryReasonBytesMax, through: Limits.buryReasonBytesMax - 3, by: -1) {
            if let whole = String(bytes.prefix(count)) { return whole }
        }
        return ""
    }

    /// Whether the stored body is LZ4-compressed.
    public var isCompressed: Bool { originalBodyBytes > 0 }

    /// A copy with another reason of burial.
    public func with(buryReason: String) -> JobAttributes {
        JobAttributes(
            metadata: metadata,
            timeOfBirthMilliseconds: timeOfBirthMilliseconds,
            retries: retries,
            retryFlag: retryFlag,
            buryReason: buryReason,
            originalBodyBytes: originalBodyBytes,
            isCompressionSkipped: isCompressionSkipped
        )
    }

    /// A copy that says how often, and whether just now, the job was retried.
    public func with(retries: UInt32, retryFlag: Bool) -> JobAttributes {
        JobAttributes(
            metadata: metadata,
            timeOfBirthMilliseconds: timeOfBirthMilliseconds,
            retries: retries,
            retryFlag: retryFlag,
            buryReason: buryReason,
            originalBodyBytes: originalBodyBytes,
            isCompressionSkipped: isCompressionSkipped
        )
    }

    /// How the body is stored.
    public var form: BodyForm {
        BodyForm(originalBodyBytes: originalBodyBytes, isCompressionSkipped: isCompressionSkipped)
    }

    /// A copy for a job whose body is stored in another form.
    public func with(form: BodyForm) -> JobAttributes {
        JobAttributes(
            metadata: metadata,
            timeOfBirthMilliseconds: timeOfBirthMilliseconds,
            retries: retries,
            retryFlag: retryFlag,
            buryReason: buryReason,
            originalBodyBytes: form.originalBodyBytes,
            isCompressionSkipped: form.isCompressionSkipped
        )
    }

    /// Equal in every field.
    public static func == (a: JobAttributes, b: JobAttributes) -> Bool {
        a.metadata == b.metadata && a.timeOfBirthMilliseconds == b.timeOfBirthMilliseconds && a.retries == b.retries
            && a.retryFlag == b.retryFlag && a.buryReason == b.buryReason
            && a.originalBodyBytes == b.originalBodyBytes && a.isCompressionSkipped == b.isCompressionSkipped
    }
}

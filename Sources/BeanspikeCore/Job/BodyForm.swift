/// How the bytes that a store keeps as a job's body relate to the body as it was put.
///
/// Stores keep this with the job and do nothing about it; whoever puts and reserves compresses and decompresses.
@frozen
public struct BodyForm: Equatable, Sendable {
    /// The body's size before compression in bytes; 0 when it is stored as it came.
    public var originalBodyBytes: UInt32
    /// Whether compression was tried and saved nothing.
    public var isCompressionSkipped: Bool

    /// A form.
    ///
    /// - Parameters:
    ///   - originalBodyBytes: the body's size before compression in bytes; 0 when it is stored as it came.
    ///   - isCompressionSkipped: whether compression was tried and saved nothing.
    @inlinable
    public init(originalBodyBytes: UInt32 = 0, isCompressionSkipped: Bool = false) {
        self.originalBodyBytes = originalBodyBytes
        self.isCompressionSkipped = isCompressionSkipped
    }

    /// As it came; nobody tried to compress it.
    public static let plain = BodyForm()
    /// As it came: compression saved nothing.
    public static let skipped = BodyForm(isCompressionSkipped: true)

    /// Compressed with LZ4.
    @inlinable
    public static func compressed(originalBodyBytes: UInt32) -> BodyForm {
        BodyForm(originalBodyBytes: originalBodyBytes)
    }
}

import NIOCore

/// Who is told of a reply.
///
/// It is told exactly once of the end: a whole reply, or a failure.
package enum ReplyReceiver: Sendable {
    /// A caller that is suspended.
    case continuation(CallContinuation)
    /// A function, which runs on the connection's event loop, or on the caller's thread if the request is refused.
    case function(@Sendable (Result<ReplyDecoder.Frame, CallFailure>) -> Void)
    /// Who takes a reply in parts.
    case parts(any ReplyPartReceiver)

    package func succeed(_ frame: ReplyDecoder.Frame) {
        switch self {
        case .continuation(let continuation): continuation.resume(returning: .success(frame))
        case .function(let function): function(.success(frame))
        case .parts(let receiver): receiver.end(.success(frame))
        }
    }

    package func fail(_ failure: CallFailure) {
        switch self {
        case .continuation(let continuation): continuation.resume(returning: .failure(failure))
        case .function(let function): function(.failure(failure))
        case .parts(let receiver): receiver.end(.failure(failure))
        }
    }
}

/// Takes a reply of several messages as they arrive, on the connection's event loop.
package protocol ReplyPartReceiver: Sendable {
    /// A part that is not the last.
    func receive(_ frame: ReplyDecoder.Frame)
    /// The last part, or a failure; nothing comes after it.
    func end(_ result: Result<ReplyDecoder.Frame, CallFailure>)
}

/// Why there is no reply, and whether the node may have got the request.
package struct CallFailure: Error {
    package var error: AerospikeError
    package var wasSent: Bool

    package init(_ error: AerospikeError, wasSent: Bool) {
        self.error = error
        self.wasSent = wasSent
    }
}

#if DEBUG
    /// A suspended caller.
    ///
    /// The checked kind finds one that is resumed twice or never.
    package typealias CallContinuation = CheckedContinuation<Result<ReplyDecoder.Frame, CallFailure>, Never>
#else
    /// A suspended caller.
    ///
    /// The pipeline gives each out once, which debug builds check; the check costs an allocation a call.
    package typealias CallContinuation = UnsafeContinuation<Result<ReplyDecoder.Frame, CallFailure>, Never>
#endif

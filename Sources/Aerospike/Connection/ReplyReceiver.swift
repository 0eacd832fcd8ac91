import NIOCore

/// Who is told of a reply.
///
/// It is told exactly once of the end: a whole reply, or a failure.
package struct ReplyReceiver: Sendable {
    /// Who waits for the end.
    package enum Waiter: Sendable {
        /// A caller that is suspended.
        case caller(CallContinuation)
        /// A function, which costs no task; on any thread.
        case function(@Sendable (Result<ReplyDecoder.Frame, CallFailure>) -> Void)
    }

    package let waiter: Waiter
    /// Takes the parts before the last of a reply of several messages, on the connection's event loop; nil if nobody does.
    package let part: (@Sendable (ReplyMessage) -> Void)?

    package func succeed(_ frame: ReplyDecoder.Frame) { end(.success(frame)) }

    package func fail(_ failure: CallFailure) { end(.failure(failure)) }

    private func end(_ result: Result<ReplyDecoder.Frame, CallFailure>) {
        switch waiter {
        case .caller(let continuation): continuation.resume(returning: result)
        case .function(let function): function(result)
        }
    }
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

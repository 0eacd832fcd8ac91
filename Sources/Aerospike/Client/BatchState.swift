import NIOCore

/// What is known of a batch's parts while it is under way.
///
/// A value: it sends nothing and has no clock.
package struct BatchState: Sendable {
    private let requests: [RecordRequest]
    private var results: [Result<Record, AerospikeError>?]
    /// Parts of which an earlier try may have been applied.
    private var inDoubt: Set<Int> = []
    /// The last failure of a part that is tried again.
    private var failures: [Int: AerospikeError] = [:]

    package init(_ requests: [RecordRequest]) {
        self.requests = requests
        results = Array(repeating: nil, count: requests.count)
    }

    /// The parts without a result.
    package var openParts: [Int] { results.indices.filter { results[$0] == nil } }

    /// Takes in one message of a reply.
    ///
    /// - Throws: ``ResultCode/malformedReply`` for a part that was not asked for.
    package mutating func received(_ message: ReplyMessage, parts: Set<Int>, node: String) throws(AerospikeError) {
        let part = Int(message.batchIndex)
        guard results.indices.contains(part), parts.contains(part) else {
            throw .malformed("an answer to part \(part), which the batch does not have")
        }
        guard results[part] == nil else { throw .malformed("two answers to part \(part) of a batch") }
        guard message.resultCode == .ok else {
            failed(part, AerospikeError(message.resultCode, message.functionFailure, node: node), wasSent: true)
            return
        }
        do throws(AerospikeError) {
            results[part] = .success(try BatchState.record(message, answering: requests[part]))
        } catch {
            // It was done, and what came of it cannot be read.
            results[part] = .failure(error.adding(node: node, inDoubt: requests[part].isWrite))
        }
        failures[part] = nil
    }

    /// A failure of a part that may be tried again, if there is one.
    package var transientFailure: AerospikeError? {
        failures.first { results[$0.key] == nil && $0.value.code.isTransient }?.value
    }

    /// What a message says about a record.
    private static func record(_ message: ReplyMessage, answering request: RecordRequest) throws(AerospikeError)
        -> Record
    {
        guard request.program == nil else {
            var record = try message.record()
            record.bins = [Bin("", record.functionResult)]
            return record
        }
        return try message.record(answering: request)
    }

    /// A part came to nothing; whether for good, ``settle(retriesInDoubt:isOver:)`` decides.
    package mutating func failed(_ part: Int, _ error: AerospikeError, wasSent: Bool) {
        if wasSent, requests[part].isWrite, error.code.leavesWriteInDoubt {
            inDoubt.insert(part)
        }
        failures[part] = error
    }

    /// Ends the parts that are not worth another try.
    ///
    /// - Parameters:
    ///   - retriesInDoubt: whether a write is tried again although it may have been applied.
    ///   - isOver: whether no part is tried again.
    package mutating func settle(retriesInDoubt: Bool, isOver: Bool) {
        for (part, error) in failures where results[part] == nil {
            let isDoubtful = inDoubt.contains(part)
            if isOver || !error.code.isTransient || isDoubtful && !retriesInDoubt {
                results[part] = .failure(error.adding(inDoubt: isDoubtful))
            }
        }
    }

    /// The results, in the order of the calls; parts that are still open came to a time-out.
    package func finished() -> [Result<Record, AerospikeError>] {
        zip(results, results.indices).map { result, part in
            result ?? .failure((failures[part] ?? AerospikeError(.timeout)).adding(inDoubt: inDoubt.contains(part)))
        }
    }
}

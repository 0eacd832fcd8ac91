import Aerospike
import NIOCore

extension NamespaceStore {
    /// Carries out a query of partitions.
    ///
    /// - Parameters:
    ///   - request: a request of the kind ``RequestMessage/Kind/query``.
    ///   - nowNanoseconds: the time, in nanoseconds since 1970.
    ///   - serves: whether the node may answer for a partition; of those that it may not the reply says so.
    /// - Returns: the reply, and what the query changed.
    package mutating func answerQuery(
        _ request: RequestMessage,
        nowNanoseconds: Int64,
        serves: (Int) -> Bool
    ) -> QueryAnswer {
        var answer = QueryAnswer(reply: ByteBuffer())
        answer.unknown.append(.unknown("queries"))
        answer.reply.writeReply(.unsupportedFeature, isLast: false)
        return answer
    }
}

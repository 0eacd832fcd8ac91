package import NIOCore

/// A query whose records a node changes by itself: the node answers at once, and tells its progress when asked.
///
/// Each node is sent the same message and works on the records that it is the master of (aerospike-server 8.1,
/// query/query.c, `ops_bg_query_job_start`, `udf_bg_query_job_start`).
package struct BackgroundQuery: Sendable {
    /// What is done to each record.
    package enum Work: Sendable, Hashable {
        case operations([Operation])
        case program(RecordRequest.Program)
    }

    /// Which records; partitions, bins and the most records have no meaning here.
    package var query: QueryRequest
    package var work: Work
    package var timeToLive = TimeToLive.namespaceDefault
    package var durableDelete = false

    package init(_ query: QueryRequest, _ work: Work) {
        self.query = query
        self.work = work
    }

    /// Writes the query as one message, to which the reply is one message, whether it is an error or not.
    ///
    /// - Throws: ``AerospikeError`` with ``ResultCode/invalidArgument``; nothing is written then.
    package func write(into buffer: inout ByteBuffer, timeoutMilliseconds: UInt32) throws(AerospikeError) {
        try Key.check(namespace: query.namespace, setName: query.setName)
        guard query.partitionIDs.isEmpty, query.resumptions.isEmpty, query.recordsMax == 0, !query.isShort else {
            throw .invalid("A query in the background is for all partitions and records, and is no short one.")
        }
        var header = MessageHeader()
        header.write = durableDelete ? [.write, .durableDelete] : .write
        header.expiration = timeToLive.wireSeconds
        header.timeoutOrIndex = timeoutMilliseconds
        let start = buffer.beginMessage()
        header.fieldCount = query.writeFields(into: &buffer)
        switch work {
        case .program(let program):
            // The number of a query in the background (base/proto.h, `as_udf_op`).
            buffer.writeField(.udfOperation, UInt8(2))
            buffer.writeField(.udfPackage, program.package)
            buffer.writeField(.udfFunction, program.function)
            buffer.writeField(.udfArguments) { $0.packValue(.list(Value.List(program.arguments))) }
            header.fieldCount += 4
        case .operations(let operations):
            do throws(AerospikeError) {
                guard (1...AerospikeLimits.operationsMax).contains(operations.count),
                    operations.allSatisfy(\.isWrite)
                else { throw .invalid("A query in the background has operations, all of which write.") }
                for operation in operations {
                    try buffer.writeOperation(operation)
                }
            } catch {
                buffer.moveWriterIndex(to: start)
                throw error
            }
            header.operationCount = UInt16(truncatingIfNeeded: operations.count)
        }
        buffer.endMessage(at: start, header: header)
    }
}

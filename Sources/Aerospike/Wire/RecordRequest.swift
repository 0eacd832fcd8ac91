package import NIOCore

/// A call on one record, ready to be written as a message of its own or as a part of a batch.
package struct RecordRequest: Sendable, Hashable {
    /// A program on the server, to be run for a record.
    package struct Program: Sendable, Hashable {
        package var package: String
        package var function: String
        package var arguments: [Value]

        package init(package: String, function: String, arguments: [Value]) {
            self.package = package
            self.function = function
            self.arguments = arguments
        }
    }

    package var key: Key
    package var operations: [Operation] = []
    package var read: ReadFlags = []
    package var write: WriteFlags = []
    package var info: InfoFlags = []
    package var generation: UInt32 = 0
    package var expiration: UInt32 = 0
    package var filter: Exp<Bool>?
    package var sendsUserKey = false
    package var program: Program?

    /// Whether the record that comes back is to have one bin for each operation, in the same order.
    package private(set) var answersEachOperation = false

    private init(key: Key) {
        self.key = key
    }

    /// Whether the request changes anything, so that losing its reply leaves it in doubt.
    package var isWrite: Bool { write.contains(.write) }
}

// MARK: The calls

extension RecordRequest {
    /// Reads every bin, or those named, or with an empty list none but what is known about the record.
    package static func get(_ key: Key, bins: [String]?, policy: ReadPolicy) -> RecordRequest {
        var request = RecordRequest(key: key)
        request.apply(policy)
        request.read.formUnion(.read)
        switch bins {
        case nil: request.read.formUnion(.allBins)
        case let bins? where bins.isEmpty: request.read.formUnion(.noBins)
        case let bins?: request.operations = bins.map(Operation.get)
        }
        return request
    }

    /// Asks only whether there is such a record.
    package static func exists(_ key: Key, policy: ReadPolicy) -> RecordRequest {
        get(key, bins: [], policy: policy)
    }

    /// Writes bins.
    package static func put(_ key: Key, bins: [(String, Value)], policy: WritePolicy) -> RecordRequest {
        write(key, bins.map { Operation.put($0.0, $0.1) }, policy: policy)
    }

    /// Does operations that only write, and whose answers nobody looks at.
    package static func write(_ key: Key, _ operations: [Operation], policy: WritePolicy) -> RecordRequest {
        var request = RecordRequest(key: key)
        request.apply(policy)
        request.operations = operations
        return request
    }

    /// Deletes the record.
    package static func delete(_ key: Key, policy: WritePolicy) -> RecordRequest {
        var request = RecordRequest(key: key)
        request.apply(policy)
        request.write.formUnion(.delete)
        return request
    }

    /// Any mix of operations.
    ///
    /// Each has its place in the record that comes back, in the same order, unless one reads all bins or none.
    package static func operate(
        _ key: Key,
        _ operations: [Operation],
        readPolicy: ReadPolicy,
        writePolicy: WritePolicy
    ) -> RecordRequest {
        var request = RecordRequest(key: key)
        request.operations = operations
        if operations.contains(where: \.isWrite) {
            request.apply(writePolicy)
        } else {
            request.apply(readPolicy)
        }
        var answersEach = true
        for operation in operations where !operation.isWrite {
            request.read.formUnion(.read)
            switch operation.scope {
            case .bin: break
            case .allBins:
                request.read.formUnion(.allBins)
                answersEach = false
            case .header:
                request.read.formUnion(.noBins)
                answersEach = false
            }
        }
        // Without the flag the server leaves out what has no value. One read needs none: there is nothing to confuse.
        if answersEach, request.isWrite || operations.count > 1 {
            request.write.formUnion(.respondAllOperations)
        }
        request.answersEachOperation = answersEach
        return request
    }

    /// Runs a program on the server for the record.
    package static func execute(_ key: Key, _ program: Program, policy: WritePolicy) -> RecordRequest {
        var request = RecordRequest(key: key)
        request.apply(policy)
        request.program = program
        return request
    }

    private mutating func apply(_ policy: ReadPolicy) {
        filter = policy.filter
        expiration = UInt32(bitPattern: policy.touchTimeToLivePercent)
        if policy.available == .all {
            read.formUnion(.consistencyAll)
        }
        info.formUnion(policy.consistent.flags)
    }

    private mutating func apply(_ policy: WritePolicy) {
        write.formUnion(.write)
        filter = policy.filter
        sendsUserKey = policy.sendsKey
        expiration = policy.timeToLive.wireSeconds
        switch policy.exists {
        case .createOrUpdate: break
        case .updateOnly: info.formUnion(.updateOnly)
        case .createOnly: write.formUnion(.createOnly)
        case .createOrReplace: info.formUnion(.createOrReplace)
        case .replaceOnly: info.formUnion(.replaceOnly)
        }
        switch policy.generation {
        case .any: break
        case .equal(let expected):
            write.formUnion(.generation)
            generation = expected
        case .olderThan(let newest):
            write.formUnion(.generationNewer)
            generation = newest
        }
        if policy.commitLevel == .master {
            info.formUnion(.commitMaster)
        }
        if policy.durableDelete {
            write.formUnion(.durableDelete)
        }
    }
}

// MARK: On the wire

extension ByteBuffer {
    /// Writes a request as a message of its own.
    ///
    /// - Parameters:
    ///   - request: the request.
    ///   - timeoutMilliseconds: how long the server is to try; 0 leaves it to its transaction-max-ms.
    /// - Throws: ``AerospikeError`` with ``ResultCode/invalidArgument``; nothing is written then.
    package mutating func writeRequest(
        _ request: RecordRequest,
        timeoutMilliseconds: UInt32
    ) throws(AerospikeError) {
        try request.check()
        let start = beginMessage()
        var header = request.header
        header.timeoutOrIndex = timeoutMilliseconds
        header.fieldCount = writeKeyFields(request.key, sendsUserKey: request.sendsUserKey)
        header.fieldCount += writeExtraFields(of: request)
        do {
            for operation in request.operations {
                try writeOperation(operation)
            }
        } catch {
            moveWriterIndex(to: start)
            throw error
        }
        endMessage(at: start, header: header)
    }

    /// Writes the fields that a request has besides its key's, and tells how many they are.
    package mutating func writeExtraFields(of request: RecordRequest) -> UInt16 {
        var count: UInt16 = 0
        if let filter = request.filter {
            writeField(.filter) { $0.writeBytes(filter.packed) }
            count += 1
        }
        if let program = request.program {
            writeField(.udfPackage, program.package)
            writeField(.udfFunction, program.function)
            writeField(.udfArguments) { $0.packValue(.list(Value.List(program.arguments))) }
            count += 3
        }
        return count
    }
}

extension RecordRequest {
    /// The header, but for the number of fields and the time-out.
    package var header: MessageHeader {
        var header = MessageHeader()
        header.read = read
        header.write = write
        header.info = info
        header.generation = generation
        header.expiration = expiration
        header.operationCount = UInt16(truncatingIfNeeded: operations.count)
        return header
    }

    /// Refuses what the protocol has no room for.
    package func check() throws(AerospikeError) {
        try key.check()
        guard operations.count <= AerospikeLimits.operationsMax else {
            throw .invalid("A call has at most \(AerospikeLimits.operationsMax) operations, not \(operations.count).")
        }
    }
}

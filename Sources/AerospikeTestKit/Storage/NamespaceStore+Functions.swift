package import Aerospike
import NIOCore

/// By what a request names a program on the server.
package struct FunctionName: Sendable, Hashable {
    package var package: String
    package var function: String

    package init(package: String, function: String) {
        self.package = package
        self.function = function
    }
}

/// What takes the place of a program on the server: it may change the record's bins, and answers a value.
///
/// The record is nil if there is none; setting it makes one, and making it nil, or leaving it no bin, deletes it. What it
/// throws is what the program failed with.
package typealias StoredFunction =
    @Sendable (_ record: inout StoredRecord?, _ arguments: [Value]) throws -> Value

/// Programs on the server (aerospike-server 8.1, transaction/udf.c), which here are Swift functions that a test gives.
extension NamespaceStore {
    /// Lets requests run a function.
    package mutating func registerFunction(_ name: FunctionName, _ function: @escaping StoredFunction) {
        functions[name] = function
    }

    mutating func runFunction(_ request: RequestMessage, _ digest: Digest, _ now: ServerTime) -> RecordAnswer {
        var answer = RecordAnswer(.ok)
        do {
            let (function, arguments) = try function(of: request)
            try checkWritesGoOn(request)
            try request.refuseTransactions()
            let found = record(digest)
            let old = found.flatMap { isDoomed($0, now) ? nil : $0 }
            if let old {
                answer.generation = UInt32(old.generation)
                answer.voidTime = old.voidTime
                try checkSetName(request, old)
                try filter(request, old, now)
            }
            var record = old
            let result: Value
            do {
                result = try function(&record, arguments)
            } catch {
                answer.code = .udfExecution
                answer.places = [RecordAnswer.Place(.read, Bin("FAILURE", .string("\(error)")))]
                return answer
            }
            answer.change = try keep(record, after: old, request, digest, now, found: found)
            if let change = answer.change {
                answer.generation = change.new.map { UInt32($0.generation) } ?? 0
                answer.voidTime = change.new?.voidTime ?? 0
            }
            answer.places = [RecordAnswer.Place(.read, Bin("SUCCESS", result))]
        } catch {
            answer.code = error.code
            answer.refusal = error
            answer.places = []
        }
        return answer
    }

    func function(of request: RequestMessage) throws(Refusal) -> (StoredFunction, [Value]) {
        guard var package = request.field(.udfPackage), var function = request.field(.udfFunction) else {
            throw Refusal(.invalidRequest, "a program without a function")
        }
        let name = FunctionName(
            package: package.readString(length: package.readableBytes) ?? "",
            function: function.readString(length: function.readableBytes) ?? ""
        )
        guard let known = functions[name] else {
            throw .unknown("the program \(name.package).\(name.function), which no test registered")
        }
        guard var packed = request.field(.udfArguments), packed.readableBytes > 0 else { return (known, []) }
        guard case .list(let arguments)? = try? packed.unpackValue() else {
            throw Refusal(.invalidRequest, "arguments that are no list")
        }
        return (known, arguments.elements)
    }

    /// Keeps what a function left of a record.
    private mutating func keep(
        _ record: StoredRecord?,
        after old: StoredRecord?,
        _ request: RequestMessage,
        _ digest: Digest,
        _ now: ServerTime,
        found: StoredRecord?
    ) throws(Refusal) -> RecordChange? {
        let record = record.flatMap { $0.bins.isEmpty ? nil : $0 }
        guard record?.bins != old?.bins else { return nil }
        guard var record else {
            remove(digest)
            return RecordChange(digest: digest, old: found, new: nil)
        }
        try checkSet(request, old, now)
        record.key = old?.key ?? Key(namespace: name, set: request.setName, digest: digest)
        try takeUserKey(from: request, into: &record)
        record.generation = old?.generation ?? 0
        record.voidTime = old?.voidTime ?? 0
        record.lastUpdateNanoseconds = old?.lastUpdateNanoseconds ?? 0
        let timeToLive = try timeToLive(of: request, isNew: old == nil, setName: record.key.setName)
        advance(&record, timeToLive: timeToLive, now)
        try finish(&record)
        store(record)
        return RecordChange(digest: digest, old: found, new: record)
    }
}

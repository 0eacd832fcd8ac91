import Beanspike
import Foundation
import Logging
import ServiceLifecycle
import Testing

/// What the documentation shows compiles, and does what it says.
///
/// The snippets are those of `Beanspike.docc`, `README.md` and `Examples`, with directories of their own.
@Suite struct DocumentationExampleTests {
    struct Mail: Codable, Sendable {
        var to: String
        var text: String
    }

    private func withDirectory(_ body: (String) async throws -> Void) async throws {
        let directory = FileManager.default.temporaryDirectory
            .appendingPathComponent("beanspike-\(UInt64.random(in: 0 ... .max))").path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await body(directory)
    }

    @Test func overview() async throws {
        try await withDirectory { directory in
            let connection = try await Connection.dial("embedded:\(directory)")
            let tube = try connection.use("mails")
            try await tube.put("hello", timeToRun: .seconds(60), compress: true)

            if let job = try await tube.reserve() {
                #expect(job.text == "hello")
                try await job.delete()
            }
            #expect(try await tube.statistics().jobs == 0)
            try await connection.close()
        }
    }

    @Test func gettingStarted() async throws {
        try await withDirectory { directory in
            let connection = try await Connection.dial("embedded:\(directory)")
            let tube = try connection.use("mails")
            let mail = Mail(to: "ann@example.com", text: "hello")
            try await tube.put(mail, as: .json, timeToRun: .seconds(60))
            let seen = Happenings<String>()
            let worker = Worker<Mail>(tube: tube) { mail, context in
                seen.add("to \(mail.to): \(mail.text), attempt \(context.attempt)")
            }
            let running = Task { try await worker.run() }
            #expect(try await seen.next() == "to ann@example.com: hello, attempt 1")
            running.cancel()
            try await running.value

            let id = try await tube.put("nonsense")
            try await tube.reserve()?.bury(reason: "no sense")
            let statistics = try await tube.statistics()
            #expect("\(statistics.ready) ready, \(statistics.buried) buried" == "0 ready, 1 buried")
            if let buried = try await tube.peekBuried() {
                #expect("job \(buried.id): \(buried.buryReason ?? "no reason")" == "job \(id): no sense")
                #expect(try await tube.kick(buried.id))
            }
            try await withTaskExecutorPreference(connection.executor) {
                for number in 0..<10 { try await tube.put("\(number)") }
            }
            #expect(try await connection.delete("mails") == 11)
            try await connection.close()
        }
    }

    @Test func inTests() async throws {
        try await Connection.withConnection("memory:") { connection in
            let tube = try connection.use("mails")
            try await tube.put("hello")
            #expect(try await tube.statistics().ready == 1)
        }
    }

    struct NotANumber: Error {}

    @Test func workers() async throws {
        try await Connection.withConnection("memory:") { connection in
            let urgent = try connection.use("urgent")
            let bulk = try connection.use("bulk")
            let logger = TestQueue.quiet
            let events = Happenings<WorkerEvent>()
            var configuration = WorkerConfiguration()
            configuration.concurrency = 16
            configuration.retries.attemptsMax = 5
            let worker = Worker<Mail>(
                shares: [.init(urgent, weight: 10), .init(bulk)],
                coding: .json,
                configuration: configuration,
                onEvent: { events.add($0) }
            ) { mail, context in
                guard mail.to.contains("@") else { throw JobDisposition.bury("no address: \(mail.to)") }
            }
            let group = ServiceGroup(services: [worker], logger: logger)
            let running = Task { try await group.run() }
            try await urgent.put(Mail(to: "nobody", text: ""), as: .json)
            #expect(try await events.next().outcome == .buried)
            #expect(try await urgent.peekBuried()?.buryReason == "no address: nobody")
            try await bulk.put(Mail(to: "ann@example.com", text: ""), as: .json)
            #expect(try await events.next().outcome == .done)
            await group.triggerGracefulShutdown()
            try await running.value
        }
    }

    @Test func codings() async throws {
        let coding = JobCoding<Int>(
            encode: { Array("\($0)".utf8) },
            decode: { body in
                guard let number = Int(String(decoding: body, as: UTF8.self)) else { throw NotANumber() }
                return number
            }
        )
        #expect(try coding.decode(try coding.encode(42)) == 42)
        #expect(throws: NotANumber.self) { try coding.decode([65]) }
        #expect(throws: BeanspikeError.self) { try JobCoding<String>.text.decode([255]) }
        #expect(try JobCoding<[UInt8]>.bytes.decode([255]) == [255])
    }

    @Test func ownLoop() async throws {
        try await Connection.withConnection("memory:") { connection in
            let tube = try connection.use("mails")
            let seen = Happenings<String>()
            let loop = Task {
                for try await job in tube.jobs {
                    do {
                        seen.add(job.text)
                        try await job.delete()
                    } catch {
                        try await job.release(delay: .seconds(10), isRetry: true)
                    }
                }
            }
            try await tube.put("hello")
            #expect(try await seen.next() == "hello")
            try await eventually("it is deleted") { try await tube.statistics().jobs == 0 }
            loop.cancel()
            try await loop.value
        }
    }
}

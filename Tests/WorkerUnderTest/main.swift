import Beanspike
import Foundation
import Logging

// A worker that a test kills: it works on the tube "kills" and adds the number of each job that it has handled to a file.
// It ends when the tube is empty.
//
//     WorkerUnderTest STORE_URL FILE [SET_PREFIX]

let arguments = CommandLine.arguments
guard arguments.count >= 3 else {
    print("usage: WorkerUnderTest STORE_URL FILE [SET_PREFIX]")
    exit(2)
}
var configuration = Connection.Configuration()
configuration.store.setPrefix = arguments.count > 3 ? arguments[3] : ""
configuration.store.acceptsRisks = true
configuration.store.deathInterval = .seconds(1)
var logger = Logger(label: "worker")
logger.logLevel = .error
let connection = try await Connection.dial(arguments[1], configuration: configuration, logger: logger)
let tube = try connection.use("kills")

let file = open(arguments[2], O_WRONLY | O_APPEND | O_CREAT, 0o600)
guard file >= 0 else {
    print("cannot write \(arguments[2])")
    exit(1)
}
var worker = WorkerConfiguration()
worker.concurrency = 8
let running = Worker<String>(tube: tube, coding: .text, configuration: worker, logger: logger) { _, context in
    let line = Array("\(context.job.id)\n".utf8)
    // One write, so that a line is whole or not there.
    guard write(file, line, line.count) == line.count else { throw JobDisposition.bury("the file cannot be written") }
}
let task = Task { try await running.run() }
while try await tube.statistics().jobs > 0 { try await Task.sleep(for: .milliseconds(50)) }
task.cancel()
try await task.value
try await connection.close()

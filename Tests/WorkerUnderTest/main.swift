import Beanspike
import Foundation
import Logging
import Synchronization

// A worker that is killed in the middle of its jobs: it works on the tube "kills" and adds the number of each job that it has
// handled to a file. It ends when the tube is empty, or is killed (SIGKILL, which nobody can catch) when it has handled so many.
//
//     WorkerUnderTest STORE_URL FILE SET_PREFIX KILL_AFTER

let arguments = CommandLine.arguments
guard arguments.count == 5, let killAfter = Int(arguments[4]) else {
    print("usage: WorkerUnderTest STORE_URL FILE SET_PREFIX KILL_AFTER")
    exit(2)
}
var configuration = Connection.Configuration()
configuration.store.setPrefix = arguments[3]
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
let handled = Atomic<Int>(0)
let running = Worker<String>(tube: tube, coding: .text, configuration: worker, logger: logger) { _, context in
    let line = Array("\(context.job.id)\n".utf8)
    // One write, so that a line is whole or not there.
    guard write(file, line, line.count) == line.count else { throw JobDisposition.bury("the file cannot be written") }
    // Now seven others are anywhere between their reserve and their delete.
    if handled.wrappingAdd(1, ordering: .relaxed).newValue == killAfter { kill(getpid(), SIGKILL) }
}
let task = Task { try await running.run() }
while try await tube.statistics().jobs > 0 { try await Task.sleep(for: .milliseconds(50)) }
task.cancel()
try await task.value
try await connection.close()

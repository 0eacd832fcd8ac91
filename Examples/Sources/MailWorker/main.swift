import Beanspike
import Logging
import ServiceLifecycle

// Puts three mails and works on the tube until it is told to stop (Ctrl-C).
//
//     swift run --package-path Examples MailWorker                          # in ./mails
//     swift run --package-path Examples MailWorker aerospike://127.0.0.1    # on a cluster

struct Mail: Codable, Sendable {
    var to: String
    var text: String
}

let logger = Logger(label: "mail-worker")
let url = CommandLine.arguments.count > 1 ? CommandLine.arguments[1] : "embedded:./mails"
let connection = try await Connection.dial(url, logger: logger)
let tube = try connection.use("mails")
for name in ["ann", "bob", "nobody"] {
    let address = name == "nobody" ? name : "\(name)@example.com"
    try await tube.put(Mail(to: address, text: "hello \(name)"), as: .json, timeToRun: .seconds(60))
}

let worker = Worker<Mail>(tube: tube, logger: logger) { mail, context in
    guard mail.to.contains("@") else { throw JobDisposition.bury("no address: \(mail.to)") }
    print("to \(mail.to): \(mail.text)")
}
let group = ServiceGroup(
    services: [worker],
    gracefulShutdownSignals: [.sigterm, .sigint],
    logger: logger
)
try await group.run()
try await connection.close()

import Beanspike

// Puts what it is given as jobs, and says what the tube has then.
//
//     swift run --package-path Examples Producer aerospike://127.0.0.1 mails one two three

let arguments = CommandLine.arguments.dropFirst()
guard arguments.count > 2, let url = arguments.first, let name = arguments.dropFirst().first else {
    print("usage: Producer STORE_URL TUBE BODY…")
    throw BeanspikeError(.invalidArgument, "no bodies")
}
try await Connection.withConnection(url) { connection in
    let tube = try connection.use(name)
    let jobs = arguments.dropFirst(2).map { NewJob(Array($0.utf8), timeToRun: .seconds(60), compress: true) }
    for outcome in try await tube.put(contentsOf: jobs) { print("job", try outcome.get()) }
    let statistics = try await tube.statistics()
    print("\(statistics.ready) ready, \(statistics.reserved) reserved, \(statistics.buried) buried")
}

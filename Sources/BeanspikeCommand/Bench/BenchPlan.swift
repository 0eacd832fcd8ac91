/// What a benchmark shall do, checked.
struct BenchPlan: Equatable {
    var servers: [BenchServer]
    var workloads: [Workload]
    var connections: Int
    var inFlights: [Int]
    var bodyBytes: Int
    var jobs: Int
    var rounds: Int
    var secondsMax: Double
    var warmUpJobs: Int
    var allowRemote: Bool

    /// The most jobs in a round of ``Workload/cycle``, which does one thing at a time.
    static let cycleJobsMax = 20_000
    /// Longer than any phase may take: no job comes back while it is being counted.
    static let ttrSeconds: UInt32 = 86_400
}

/// A server that is measured.
struct BenchServer: Equatable {
    /// What it is called in the report.
    let name: String
    let address: ServerAddress
    let processID: Int32?

    /// Reads `[NAME=]ADDRESS`; without a name it is A, B and so on.
    init(_ text: String, index: Int, processID: Int32?) throws {
        var address = Substring(text)
        var name = String(UnicodeScalar(UInt8(ascii: "A") + UInt8(clamping: index)))
        if let equals = text.firstIndex(of: "="), !text[..<equals].contains(where: { $0 == ":" || $0 == "/" }) {
            address = text[text.index(after: equals)...]
            name = String(text[..<equals])
        }
        guard !name.isEmpty else { throw CommandError.misused("\(text) has an empty name before its =.") }
        self.name = name
        self.address = try ServerOptions.address(String(address))
        self.processID = processID
    }
}

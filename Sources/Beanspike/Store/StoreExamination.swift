import Aerospike
import AerospikeStore
public import BeanspikeCore
import EmbeddedStore
import Logging

/// What a store promises, and what is wrong with the place that it is in.
///
/// ```swift
/// let examination = try await StoreLocation("embedded:/var/lib/beanspike").examine()
/// print(examination.promise)
/// for finding in examination.findings { print(finding.level, finding) }
/// ```
public struct StoreExamination: Sendable, Hashable {
    /// What the place promises to the jobs in it, on one line.
    public let promise: String
    /// What was looked at.
    public let findings: [StoreFinding]

    /// An examination.
    ///
    /// - Parameters:
    ///   - promise: what the place promises, on one line.
    ///   - findings: what was looked at.
    public init(promise: String, findings: [StoreFinding]) {
        self.promise = promise
        self.findings = findings
    }

    /// How bad the worst finding is.
    public var level: StoreFinding.Level { findings.map(\.level).max() ?? .fine }
}

extension StoreLocation {
    /// Looks what a store promises, without opening it: nothing in it is changed.
    ///
    /// - Parameter timeout: how long the nodes of a cluster may take to be found, and then to answer.
    /// - Returns: what was found.
    /// - Throws: `JobStoreError` with `cannotOpen` where no node of a cluster can be reached.
    public func examine(timeout: Duration = .seconds(5)) async throws(JobStoreError) -> StoreExamination {
        switch self {
        case .memory:
            let finding = StoreFinding(
                .warning,
                "store",
                "memory of the server's process",
                meaning: "All jobs are gone when the process ends, however it ends.",
                remedy: .init("Use embedded:DIR or aerospike://… for jobs that matter.")
            )
            return StoreExamination(
                promise: "in the memory of the server's process: nothing outlasts it",
                findings: [finding]
            )
        case .embedded(let directory):
            let findings = EmbeddedStore.examine(directory: directory)
            let isRefused = findings.contains { $0.level == .refused }
            return StoreExamination(
                promise: isRefused
                    ? "no store can be opened here"
                    : "one server, one disk: what is acknowledged is on it, and survives a kill and a power cut (unless "
                        + "the server is given -f or -F)",
                findings: findings
            )
        case .aerospike(let nodes, let namespace):
            var configuration = AerospikeClientConfiguration(seeds: nodes.map { .init($0.host, port: $0.port) })
            configuration.connectionsPerNode = 1
            // Nothing but what the caller is told.
            let logger = Logger(label: "beanspike.examination") { _ in SwiftLogNoOpLogHandler() }
            do {
                let report = try await AerospikeClient.withClient(configuration, logger: logger, timeout: timeout) {
                    try await SettingsReport.read(client: $0, namespace: namespace, timeout: timeout)
                }
                return StoreExamination(promise: report.promise, findings: report.findings)
            } catch {
                let reason = (error as? AerospikeError).map { "\($0.message) \($0.code.remedy)" } ?? "\(error)"
                throw JobStoreError(.cannotOpen, "Cannot ask \(self): \(reason)")
            }
        }
    }
}

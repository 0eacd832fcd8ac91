public import Aerospike
public import BeanspikeCore

/// What the settings of a cluster and its namespace promise to the jobs in it, and what is wrong with them.
///
/// ```swift
/// let report = try await SettingsReport.read(client: client, namespace: "beanspike")
/// logger.notice("\(report.promise)")
/// for finding in report.findings where finding.level == .warning { logger.warning("\(finding)") }
/// try report.check()
/// ```
public struct SettingsReport: Sendable, Hashable {
    /// What the nodes say.
    public let settings: NamespaceSettings
    /// What was looked at and what it means, in the order in which a person should read it.
    public let findings: [StoreFinding]
    /// What the settings promise, on one line.
    public let promise: String

    /// Judges what nodes say.
    init(_ settings: NamespaceSettings) {
        self.settings = settings
        let rules = SettingsRules(settings)
        findings = rules.findings
        promise = SettingsPromise(settings).text
    }

    /// Asks every node of a cluster and judges what they say.
    ///
    /// - Parameters:
    ///   - client: a client that has found the cluster.
    ///   - namespace: the namespace of the store.
    ///   - timeout: how long a node may take to answer; all are asked at the same time.
    /// - Returns: the report.
    /// - Throws: `AerospikeError` if no node answers.
    public static func read(
        client: AerospikeClient,
        namespace: String,
        timeout: Duration = .seconds(5)
    ) async throws(AerospikeError) -> SettingsReport {
        SettingsReport(try await NamespaceSettings.read(client: client, namespace: namespace, timeout: timeout))
    }

    /// How bad the worst finding is.
    public var level: StoreFinding.Level { findings.map(\.level).max() ?? .fine }

    /// Refuses settings with which acknowledged jobs could be lost.
    ///
    /// - Parameter acceptingRisks: whether to go on nevertheless, as far as a store can work at all.
    /// - Throws: `JobStoreError` with ``BeanspikeCore/JobStoreError/Code/unfit`` and all that is refused, with
    ///   remedies.
    public func check(acceptingRisks: Bool = false) throws(JobStoreError) {
        let refused = findings.filter { $0.level == .refused && !(acceptingRisks && $0.canBeAccepted) }
        guard !refused.isEmpty else { return }
        let reasons = refused.map { finding in
            let command = finding.remedy?.commands.first.map { " Run: \($0)" } ?? ""
            return "\(finding)\(command)"
        }
        throw JobStoreError(
            .unfit,
            "The namespace \(settings.namespace) is not fit for jobs. \(reasons.joined(separator: " ")) "
                + "`beanspike doctor` tells all."
        )
    }
}

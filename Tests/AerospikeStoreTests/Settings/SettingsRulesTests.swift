import BeanspikeCore
import Testing

@testable import AerospikeStore

/// What is made of what nodes say.
@Suite struct SettingsRulesTests {
    @Test func rightSettingsLeaveNothingToSay() throws {
        let report = SettingsFixture().report
        #expect(report.troubles == [:])
        #expect(report.level == .fine)
        #expect(
            report.promise == "3 nodes of 8.1.0.3, 2 copies of each job, on disk: losing any one node loses no job, "
                + "more killed at once lose up to 1000 ms of acknowledged changes; in a partition only a side of 2 nodes "
                + "or more goes on"
        )
        try report.check()
    }

    /// Settings that alone are wrong: their name, what is said instead, and how bad that is.
    @Test(arguments: [
        ("conflict-resolution-policy", "generation", StoreFinding.Level.refused),
        ("conflict-resolution-policy", "undefined", .refused), ("disable-write-dup-res", "true", .refused),
        ("default-ttl", "3600", .refused), ("max-record-size", "65536", .refused),
        ("reject-non-xdr-writes", "true", .refused), ("nsup-period", "0", .warning),
        ("stop_writes", "true", .warning),
        ("transaction-pending-limit", "8", .warning), ("data_used_pct", "65", .warning),
        ("write-commit-level-override", "all", .fine), ("transaction-pending-limit", "0", .fine),
        ("transaction-pending-limit", "16", .fine), ("data_used_pct", "60", .fine),
        ("max-record-size", "131072", .fine),
        // Before server 7.1, 0 is the length of a write block.
        ("max-record-size", "0", .fine),
    ])
    func aSettingIsJudged(name: String, value: String, level: StoreFinding.Level) {
        let all = SettingsFixture(changes: [name: value]).report
        #expect(all.troubles == (level == .fine ? [:] : [name: level]))
        // One node is enough, and that they differ is told too where they must not.
        let one = SettingsFixture(changesByNode: [1: [name: value]]).report
        #expect((one.troubles[name] ?? .fine) == level)
        if level == .fine { return }
        #expect(one[name]?.remedy != nil)
        #expect(one[name]?.meaning.isEmpty == false)
    }

    @Test func aCopyThatIsNotWaitedForIsNone() {
        let report = SettingsFixture(changes: ["write-commit-level-override": "master"]).report
        #expect(report.troubles == ["write-commit-level-override": .warning, "storage-engine": .warning])
    }

    @Test func whatDiffersIsTold() {
        let report = SettingsFixture(changesByNode: [2: ["nsup-period": "60"]]).report
        #expect(report.troubles == ["nsup-period (differs)": .warning])
        #expect(report["nsup-period (differs)"]?.state == "120 on A1, A2; 60 on A3")
    }

    @Test func oneNodeOfOneCopyMayResolveConflictsAnyhow() throws {
        let alone = [
            "replication-factor": "1", "effective_replication_factor": "1", "conflict-resolution-policy": "generation",
        ]
        let one = SettingsFixture(nodeCount: 1, changes: alone, clusterSizeMin: 1).report
        #expect(
            one.troubles == [
                "conflict-resolution-policy": .warning, "replication-factor": .warning, "storage-engine": .warning,
            ]
        )
        try one.check()
        // With a second node a record can have two versions, whatever the number of copies.
        let two = SettingsFixture(nodeCount: 2, changes: alone, clusterSizeMin: 2).report
        #expect(two.troubles["conflict-resolution-policy"] == .refused)
        // Two copies are meant to be, so a second node is to come.
        let meant = SettingsFixture(
            nodeCount: 1,
            changes: ["effective_replication_factor": "1", "conflict-resolution-policy": "generation"],
            clusterSizeMin: 1
        ).report
        #expect(meant.troubles["conflict-resolution-policy"] == .refused)
        // A node that does not answer is a node.
        let silent = SettingsFixture(nodeCount: 1, changes: alone, clusterSizeMin: 1, silentNodes: ["A2"]).report
        #expect(silent.troubles["conflict-resolution-policy"] == .refused)
    }

    @Test func whatIsRefusedIsOpenedForWhoAcceptsIt() throws {
        let report = SettingsFixture(changes: ["conflict-resolution-policy": "generation"]).report
        let error = try #require(throws: JobStoreError.self) { try report.check() }
        #expect(error.code == .unfit)
        #expect(error.message.contains("conflict-resolution-policy is generation"))
        #expect(error.message.contains("asadm -h 10.0.0.1 -p 3000 --enable"))
        try report.check(acceptingRisks: true)
        // Where no job can be kept there is nothing to accept.
        let old = SettingsFixture(build: "5.7.0.8").report
        #expect(old.troubles == ["nodes": .refused])
        #expect(throws: JobStoreError.self) { try old.check(acceptingRisks: true) }
    }

    @Test(arguments: [("6.0.0.0", true), ("8.1.0.3-12-gabc", true), ("5.7.0.31", false), ("", false), ("x", false)])
    func oldServersAreRefused(build: String, isServed: Bool) {
        #expect((SettingsFixture(build: build).report.level == .fine) == isServed)
    }

    /// How many nodes there are, and how many must see each other for any to go on.
    @Test(arguments: [
        (1, 1, nil), (2, 1, StoreFinding.Level.warning), (2, 2, .fine), (3, 1, .warning), (3, 2, .fine), (3, 3, .fine),
        (4, 2, .warning), (4, 3, .fine), (5, 3, .fine), (3, 4, .refused),
    ])
    func aPartitionNeedsAMajority(nodes: Int, minimum: Int, level: StoreFinding.Level?) {
        let report = SettingsFixture(nodeCount: nodes, clusterSizeMin: minimum).report
        #expect(report["min-cluster-size"]?.level == level)
        let commands = report["min-cluster-size"]?.remedy?.commands ?? []
        #expect(commands.isEmpty == (level != .warning || nodes == 2))
    }

    @Test func aMajorityIsWhatTheRemedySays() throws {
        let remedy = try #require(SettingsFixture(nodeCount: 5, clusterSizeMin: 1).report["min-cluster-size"]?.remedy)
        #expect(remedy.configuration == ["service {", "    min-cluster-size 3", "}"])
        #expect(remedy.commands.first?.hasSuffix("-e \"manage config service param min-cluster-size to 3\"") == true)
        #expect(remedy.commands.count == 1)
        #expect(remedy.alternatives.count == 5)
        #expect(
            remedy.alternatives[4] == "asinfo -h 10.0.0.5 -p 3000 -v 'set-config:context=service;min-cluster-size=3'"
        )
    }

    /// What is said of where jobs are, and what the loss of a node costs.
    @Test(arguments: [
        (
            ["storage-engine": "memory", "storage-engine.file[0]": ""], StoreFinding.Level.warning,
            "2 copies of each job, in memory alone: losing any one node loses no job, losing more at once does;"
        ),
        (
            ["storage-engine": "memory"], .fine,
            "2 copies of each job, in memory and on disk: losing any one node loses no job, more killed at once lose up "
                + "to 1000 ms"
        ),
        (
            ["storage-engine.commit-to-device": "true"], .fine,
            "2 copies of each job, on disk: losing any one node loses no job;"
        ),
        (
            ["storage-engine.cold-start-empty": "true"], .warning,
            "2 copies of each job, in memory alone: losing any one node loses no job, losing more at once does;"
        ),
        (
            ["replication-factor": "1", "effective_replication_factor": "1"], .warning,
            "1 copy of each job, on disk: jobs on a node that stops cannot be reached until it is back; one that is "
                + "killed loses up to 1000 ms of acknowledged changes;"
        ),
        (
            ["replication-factor": "3", "effective_replication_factor": "3"], .fine,
            "3 copies of each job, on disk: losing any 2 nodes loses no job, more"
        ),
        (
            ["write-commit-level-override": "master"], .warning,
            "2 copies of each job, on disk: jobs on a node that stops cannot be reached until it is back; one that"
        ),
    ])
    func whereJobsAreIsPromised(changes: [String: String], level: StoreFinding.Level, promise: String) {
        let report = SettingsFixture(changes: changes).report
        #expect(report["storage-engine"]?.level == level)
        #expect(report.promise.hasPrefix("3 nodes of 8.1.0.3, \(promise)"), "\(report.promise)")
    }

    @Test func aSecondNodeIsMissing() {
        let report = SettingsFixture(nodeCount: 1, clusterSizeMin: 1).report
        #expect(report["replication-factor"]?.level == .warning)
        #expect(report["replication-factor"]?.remedy?.advice == "Start a second node.")
        #expect(report.promise.hasPrefix("1 node of 8.1.0.3, 1 copy of each job, on disk: "))
    }

    @Test func strongConsistencyNeedsNoMore() {
        let report = SettingsFixture(
            changes: ["strong-consistency": "true", "conflict-resolution-policy": "undefined"],
            clusterSizeMin: 1
        ).report
        #expect(report.troubles == [:])
        #expect(report.promise.hasSuffix("a partition loses no acknowledged job"))
    }

    @Test func aNamespaceIsNotThere() {
        let nowhere = SettingsFixture(changes: ["replication-factor": ""]).report
        #expect(nowhere.troubles == ["namespace": .refused])
        #expect(nowhere.promise == "no node has the namespace beanspike")
        #expect(throws: JobStoreError.self) { try nowhere.check(acceptingRisks: true) }
        let somewhere = SettingsFixture(changesByNode: [1: ["replication-factor": ""]]).report
        #expect(somewhere.troubles == ["namespace": .warning])
        #expect(somewhere["namespace"]?.state == "beanspike is not on A2")
    }

    @Test(arguments: [
        ("migrate_partitions_remaining", "7", "migrations"), ("cluster_integrity", "false", "cluster"),
        ("cluster_clock_skew_ms", "1001", "cluster_clock_skew_ms"),
    ])
    func aClusterInMotionIsTold(name: String, value: String, subject: String) {
        #expect(SettingsFixture(statistics: [name: value]).report.troubles == [subject: .warning])
    }

    /// Nodes are not to be trusted to make sense.
    @Test func nonsenseIsNoCrash() {
        let large = "\(Int.max)"
        let names = ["data_used_pct", "max-record-size", "replication-factor", "effective_replication_factor"]
        for value in [large, "-\(large)", "x", "=;=", "99999999999999999999"] {
            var fixture = SettingsFixture(changes: Dictionary(uniqueKeysWithValues: names.map { ($0, value) }))
            fixture.statistics = ["cluster_size": value, "migrate_partitions_remaining": value]
            #expect(!fixture.report.promise.isEmpty)
        }
        let empty = NodeSettings(node: "A", address: nil, namespace: "n", answers: [:])
        #expect(SettingsReport(NamespaceSettings(namespace: "n", nodes: [empty])).level == .refused)
    }
}

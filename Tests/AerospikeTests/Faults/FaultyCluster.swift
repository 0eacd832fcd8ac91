import Aerospike
import Testing

/// A cluster whose nodes can be made to fail: real programs, or nodes in the test's own process.
///
/// It has three nodes, and a namespace `test` of replication factor 2.
protocol FaultyCluster: Sendable {
    /// Where the nodes listen.
    var seeds: [AerospikeClientConfiguration.Host] { get }

    /// Ends a node at once, as a crash does.
    func kill(_ node: Int) async throws

    /// Ends a node in order.
    func terminate(_ node: Int) async throws

    /// Stops a node's work, with its connections open; what is sent to it meanwhile is taken up by ``resume(_:)``.
    func suspend(_ node: Int) async throws

    /// Lets a node that is suspended go on.
    func resume(_ node: Int) async throws

    /// Starts a node that has ended, without any records; returns when it has joined the others.
    func restart(_ node: Int) async throws
}

/// What a node is made to suffer.
enum NodeFault: String, Sendable, CaseIterable, CustomTestStringConvertible {
    case killed
    case terminated
    case suspended
    case joined

    var testDescription: String { "a node is \(rawValue)" }

    /// Whether a node comes back that does not know what the others wrote without it.
    ///
    /// A read that asks it alone then gets what it has; one that asks all who may have the newest does not.
    var bringsStaleCopies: Bool { self == .suspended }

    /// What is done to the cluster before there is any load.
    func prepare(_ cluster: any FaultyCluster) async throws {
        if self == .joined {
            try await cluster.kill(1)
        }
    }

    /// What is done under load.
    func begin(_ cluster: any FaultyCluster) async throws {
        switch self {
        case .killed: try await cluster.kill(1)
        case .terminated: try await cluster.terminate(1)
        case .suspended: try await cluster.suspend(1)
        case .joined: try await cluster.restart(1)
        }
    }

    /// What is done under load when calls work again.
    func end(_ cluster: any FaultyCluster) async throws {
        switch self {
        case .suspended: try await cluster.resume(1)
        case .killed, .terminated: try await cluster.restart(1)
        case .joined: break
        }
    }
}

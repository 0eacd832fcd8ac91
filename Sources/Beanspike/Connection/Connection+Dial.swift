import BeanspikeCore
public import Logging

import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension Connection {
    /// The host of the cluster where the environment names none.
    public static let hostDefault = "aerospike"

    /// Connects to the Aerospike cluster that the environment names.
    ///
    /// `AEROSPIKE_HOST` is a host, ``hostDefault`` where it is not set. `AEROSPIKE_PORT` is a number, 3000 where it is not
    /// set, or what Docker's links set: `tcp://172.17.0.5:3000`, which names the host too where `AEROSPIKE_HOST` does not.
    ///
    /// A cluster that is not there yet is waited for: ``StoreOptions/openTimeout``. Cancelling the task ends that.
    ///
    /// - Parameters:
    ///   - id: who this is; nil for a name of the host's and process's.
    ///   - configuration: how the connection behaves.
    ///   - environment: the variables; those of the process by default.
    ///   - logger: what is told of the cluster.
    /// - Returns: the connection.
    /// - Throws: ``BeanspikeError`` with `badAddress`, `unreachable` or `unfit`; `CancellationError`.
    public static func dialDefault(
        id: String? = nil,
        configuration: Configuration = Configuration(),
        environment: [String: String]? = nil,
        logger: Logger = Logger(label: "beanspike")
    ) async throws -> Connection {
        let location = try defaultLocation(environment ?? processEnvironment)
        return try await dial(location, id: id, configuration: configuration, logger: logger)
    }

    /// Connects to the Aerospike cluster that a node belongs to.
    ///
    /// - Parameters:
    ///   - id: who this is; empty for a name of the host's and process's.
    ///   - host: a node's name or address.
    ///   - port: its port, 1 to 65535.
    ///   - namespace: the namespace; `beanspike` by default.
    ///   - configuration: how the connection behaves.
    ///   - logger: what is told of the cluster.
    /// - Returns: the connection.
    /// - Throws: ``BeanspikeError`` with `badAddress`, `unreachable` or `unfit`; `CancellationError`.
    public static func dial(
        id: String,
        host: String,
        port: Int = StoreLocation.aerospikePortDefault,
        namespace: String = StoreLocation.aerospikeNamespaceDefault,
        configuration: Configuration = Configuration(),
        logger: Logger = Logger(label: "beanspike")
    ) async throws -> Connection {
        guard (1...65_535).contains(port) else {
            throw BeanspikeError(.badAddress, "The port is \(port). Give a number from 1 to 65535.")
        }
        let shown = host.contains(":") ? "[\(host)]" : host
        // By way of the URL, so that names are checked in one place.
        return try await dial(
            "aerospike://\(shown):\(port)/\(namespace)",
            id: id.isEmpty ? nil : id,
            configuration: configuration,
            logger: logger
        )
    }

    /// Opens the store that a URL names.
    ///
    /// - Parameters:
    ///   - storeURL: `embedded:DIR`, `memory:` or `aerospike://HOST[:PORT][,HOST[:PORT]…][/NAMESPACE]`.
    ///   - id: who this is; nil for a name of the host's and process's.
    ///   - configuration: how the connection behaves.
    ///   - logger: what is told of the store.
    /// - Returns: the connection.
    /// - Throws: ``BeanspikeError`` with what is wrong with the URL or the place, and how to mend it; `CancellationError`.
    public static func dial(
        _ storeURL: String,
        id: String? = nil,
        configuration: Configuration = Configuration(),
        logger: Logger = Logger(label: "beanspike")
    ) async throws -> Connection {
        let location: StoreLocation
        do throws(JobStoreError) { location = try StoreLocation(storeURL) } catch { throw BeanspikeError(error) }
        return try await dial(location, id: id, configuration: configuration, logger: logger)
    }

    /// Opens a store.
    ///
    /// - Parameters:
    ///   - location: which.
    ///   - id: who this is; nil for a name of the host's and process's.
    ///   - configuration: how the connection behaves.
    ///   - logger: what is told of the store.
    /// - Returns: the connection.
    /// - Throws: ``BeanspikeError`` with what is wrong with the place, and how to mend it; `CancellationError`.
    public static func dial(
        _ location: StoreLocation,
        id: String? = nil,
        configuration: Configuration = Configuration(),
        logger: Logger = Logger(label: "beanspike")
    ) async throws -> Connection {
        let store: any JobStore
        do throws(JobStoreError) {
            store = try await location.open(configuration.store, logger: logger)
        } catch {
            try Task.checkCancellation()
            throw BeanspikeError(error)
        }
        return Connection(id: id, store: store, ownsStore: true, configuration: configuration, logger: logger)
    }

    /// Opens a store, does something, and closes it, whatever comes.
    ///
    /// - Parameters:
    ///   - storeURL: `embedded:DIR`, `memory:` or `aerospike://HOST[:PORT][,HOST[:PORT]…][/NAMESPACE]`.
    ///   - configuration: how the connection behaves.
    ///   - logger: what is told of the store.
    ///   - body: what to do.
    /// - Returns: what `body` returns.
    /// - Throws: as ``dial(_:id:configuration:logger:)-(String,_,_,_)``, and what `body` throws.
    public static func withConnection<Result>(
        _ storeURL: String,
        configuration: Configuration = Configuration(),
        logger: Logger = Logger(label: "beanspike"),
        _ body: (Connection) async throws -> Result
    ) async throws -> Result {
        let connection = try await dial(storeURL, configuration: configuration, logger: logger)
        let result: Result
        do {
            result = try await body(connection)
        } catch {
            try? await connection.close()
            throw error
        }
        try await connection.close()
        return result
    }

    // MARK: - The environment

    /// The cluster that variables name.
    static func defaultLocation(_ environment: [String: String]) throws(BeanspikeError) -> StoreLocation {
        let names = ["AEROSPIKE_HOST", "AEROSPIKE_PORT"]
        var environment = environment.filter { names.contains($0.key) && !$0.value.isEmpty }
        // A link of Docker's names the host by itself.
        if environment["AEROSPIKE_HOST"] == nil, environment["AEROSPIKE_PORT"]?.contains("://") != true {
            environment["AEROSPIKE_HOST"] = hostDefault
        }
        do throws(JobStoreError) {
            return try StoreLocation(environment: environment)
        } catch {
            throw BeanspikeError(error)
        }
    }

    private static var processEnvironment: [String: String] {
        var environment: [String: String] = [:]
        for name in ["AEROSPIKE_HOST", "AEROSPIKE_PORT"] {
            if let value = getenv(name) { environment[name] = String(cString: value) }
        }
        return environment
    }

    /// `host:pid:number`, as the original's.
    static func makeID() -> String {
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, name.count - 1)
        let host = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return "\(host):\(getpid()):\(connections.wrappingAdd(1, ordering: .relaxed).newValue)"
    }
}

/// How many connections this process has made.
private let connections = Atomic<Int>(0)

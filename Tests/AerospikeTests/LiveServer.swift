import Aerospike
import AerospikeTestKit
import AerospikeTestSupport

/// The server that one connection is made to: the first that `AEROSPIKE_HOST` names, or a node in this process.
enum LiveServer {
    /// A node in this process, which lasts as long as the tests do.
    static let node = Result {
        let cluster = try TestCluster.startBlocking()
        registerPrograms(cluster)
        return cluster
    }

    /// The address of the server: a host and a port.
    static var seed: (host: String, port: Int) {
        get throws {
            if let address = RealServer.addresses.first {
                return address
            }
            let seed = try node.get().seeds[0]
            return (seed.host, seed.port)
        }
    }

    static func connect() throws -> RawConnection {
        let seed = try seed
        return try RawConnection(host: seed.host, port: seed.port)
    }

    /// A node in this process runs no Lua, only what takes its place: the programs of the tests, in Swift.
    private static func registerPrograms(_ cluster: TestCluster) {
        func register(
            _ package: String,
            _ function: String,
            _ change: @escaping @Sendable (Value, [Value]) throws -> Value
        ) {
            cluster.register(package: package, function: function) { bins, arguments in
                // The bin is the first argument, or `n`.
                let name = arguments.first?.string ?? "n"
                let place = bins?.firstIndex { $0.name == name }
                let value = try change(place.flatMap { bins?[$0].value } ?? 0, Array(arguments.dropFirst()))
                if let place {
                    bins?[place].value = value
                } else {
                    bins = (bins ?? []) + [Bin(name, value)]
                }
                return value
            }
        }
        register("swift_wire", "add") { value, arguments in
            .integer((value.integer ?? 0) + (arguments.first?.integer ?? 0))
        }
        register("swift_wire", "fail") { _, _ in throw RawConnection.Unexpected.refused }
        register("swift_adm", "twice") { value, _ in .integer((value.integer ?? 0) * 2) }
        register("swift_client_adm", "half") { value, _ in .double(Double(value.integer ?? 0) / 2) }
    }
}

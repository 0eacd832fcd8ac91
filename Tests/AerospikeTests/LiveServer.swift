import Aerospike
import AerospikeTestKit
import Glibc
import NIOCore

/// One blocking connection to a server, which is all that checking what is on the wire needs.
final class LiveServer {
    /// The variable that names a real server as `host` or `host:port`; without it the server is a node in this process.
    static let address = getenv("AEROSPIKE_HOST").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }

    /// A node in this process, which lasts as long as the tests do.
    static let node = Result {
        let cluster = try TestCluster.startBlocking()
        registerPrograms(cluster)
        return cluster
    }

    /// The address of the server: a host and a port.
    static var seed: (host: String, port: Int) {
        get throws {
            guard let address else { return ("127.0.0.1", try node.get().seeds[0].port) }
            let parts = address.split(separator: ":")
            return (String(parts[0]), parts.count > 1 ? Int(parts[1]) ?? 3000 : 3000)
        }
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
        register("swift_wire", "fail") { _, _ in throw Unexpected() }
        register("swift_adm", "twice") { value, _ in .integer((value.integer ?? 0) * 2) }
        register("swift_client_adm", "half") { value, _ in .double(Double(value.integer ?? 0) / 2) }
    }

    private let descriptor: Int32
    private var decoder = ReplyDecoder()

    init() throws {
        let seed = try Self.seed
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(seed.host, "\(seed.port)", &hints, &found) == 0, let address = found else {
            throw Unexpected()
        }
        defer { freeaddrinfo(address) }
        descriptor = socket(address.pointee.ai_family, address.pointee.ai_socktype, 0)
        guard connect(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0 else { throw Unexpected() }
        // No reply in this time is a failed test, not a test that hangs.
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit {
        close(descriptor)
    }

    func send(_ bytes: ByteBuffer) throws {
        var bytes = bytes
        while bytes.readableBytes > 0 {
            let count = bytes.withUnsafeReadableBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Unexpected() }
            bytes.moveReaderIndex(forwardBy: count)
        }
    }

    func receive() throws -> ReplyDecoder.Frame {
        while true {
            if let frame = try decoder.next() {
                return frame
            }
            var bytes = ByteBuffer()
            let count = bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: 16384) {
                max(0, recv(descriptor, $0.baseAddress, $0.count, 0))
            }
            guard count > 0 else { throw Unexpected() }
            decoder.feed(bytes)
        }
    }

    func info(_ names: String...) throws -> [String: String] {
        var buffer = ByteBuffer()
        try InfoMessage.write(names, into: &buffer)
        try send(buffer)
        guard case .info(let body) = try receive() else { throw Unexpected() }
        return try InfoMessage.parse(body)
    }

    func call(_ request: RecordRequest) throws -> Record {
        var buffer = ByteBuffer()
        try buffer.writeRequest(request, timeoutMilliseconds: 1000)
        try send(buffer)
        guard case .message(let message, endsBody: true) = try receive() else { throw Unexpected() }
        guard message.resultCode == .ok else { throw AerospikeError(message.resultCode) }
        return try message.record(answering: request)
    }

    func operate(
        _ key: Key,
        _ operations: [Operation],
        policy: WritePolicy = WritePolicy()
    ) throws -> Record {
        try call(.operate(key, operations, readPolicy: ReadPolicy(), writePolicy: policy))
    }

    /// The messages of a reply that goes on to one that is last.
    func stream(_ request: ByteBuffer) throws -> [ReplyMessage] {
        try send(request)
        var messages: [ReplyMessage] = []
        while true {
            guard case .message(let message, _) = try receive() else { throw Unexpected() }
            if message.isLast {
                guard message.resultCode == .ok else { throw AerospikeError(message.resultCode) }
                return messages
            }
            messages.append(message)
        }
    }
}

import Aerospike

extension TestCluster {
    /// What the nodes of a cluster are told to do.
    public struct Configuration: Sendable {
        /// The namespaces; by default `test` and `beanspike`.
        public var namespaces: [Namespace] = [Namespace("test"), Namespace("beanspike")]

        /// The cluster's name, which a client may insist on.
        public var clusterName = "testkit"

        /// The version that the nodes say they are of.
        public var build = "8.1.0.3"

        /// Whether the nodes say that they are of the Enterprise Edition.
        ///
        /// They always do when they have users or TLS, which no other edition has.
        public var isEnterprise = false

        /// The time that the nodes go by.
        public var clock = TestClock.real

        /// How long the nodes take to agree on who is there after one was killed, stopped, started or cut off.
        public var detectionDelay = Duration.milliseconds(50)

        /// The fewest nodes that go on serving, min-cluster-size; fewer answer 11 to everything.
        public var clusterSizeMin = 1

        /// Whether partitions stay where they are after a change, until ``TestCluster/releaseMigrations()``.
        public var holdsMigrations = false

        /// How much of what it changed a node can forget when it restarts; see ``TestCluster/Storage``.
        public var forgettableTime = Duration.seconds(2)

        /// How long a request without a time-out of its own waits for other nodes, transaction-max-ms.
        public var transactionTimeout = Duration.seconds(1)

        /// The most records in a batch, batch-max-requests; 0 for any number.
        public var batchRecordsMax = 5000

        /// The longest request that the nodes read, in bytes; a longer one ends its connection.
        public var requestBytesMax = AerospikeLimits.messageBytesMax

        /// The most open connections of each node, proto-fd-max; more are closed as soon as they are made.
        public var connectionsMax = 15_000

        /// How many requests a node still carries out that it finds on a connection which the client closed while the
        /// node was stopped.
        ///
        /// A real server carries out one: its reply comes back as a reset, which takes the others with it.
        public var requestsServedAfterClose = 1

        /// What happens to requests by chance; nothing if nil.
        public var randomFaults: RandomFaults?

        /// The users; with any, the nodes serve only connections that a user has authenticated.
        public var users: [User] = []

        /// How long a session lasts after a login, session-ttl.
        public var sessionTimeToLive = Duration.seconds(86_400)

        /// With which certificates the nodes listen for TLS, beside their ports in clear; not at all if nil.
        public var tls: TLS?

        /// A configuration of the defaults.
        public init() {}

        var saysEnterprise: Bool { isEnterprise || !users.isEmpty || tls != nil }
    }

    /// A namespace of the cluster.
    public struct Namespace: Sendable {
        /// Its name.
        public var name: String

        /// How many copies of each record there are, if the cluster's number is not to be used.
        public var replicationFactor: Int?

        /// How long records live that do not say so, default-ttl, in seconds; 0 for ever.
        public var defaultTimeToLiveSeconds: UInt32 = 0

        /// How often records that are over are removed, nsup-period, in seconds.
        ///
        /// At 0 writes with a time to live answer 22, as a real server's do.
        public var removalPeriodSeconds: UInt32 = 120

        /// The longest record, max-record-size, in bytes.
        public var recordBytesMax = 1024 * 1024

        /// Whether every write answers 8.
        public var stopsWrites = false

        /// Which of two versions of a record is kept after nodes were apart, conflict-resolution-policy.
        public var conflictResolution = ConflictPolicy.generation

        /// A namespace of the defaults.
        ///
        /// - Parameter name: its name, at most 31 bytes.
        public init(_ name: String) {
            self.name = name
        }
    }

    /// Which of two versions of a record is kept.
    public enum ConflictPolicy: Sendable, Hashable {
        /// The one written more often, which is what a server does unless it is told otherwise.
        case generation
        /// The one written last.
        case lastUpdateTime
    }

    /// A user.
    public struct User: Sendable, Hashable {
        /// The name.
        public var name: String

        /// What a client sends instead of the password: its bcrypt hash with the salt that all clients use.
        ///
        /// It begins with `$2a$10$7EqJtq98hPqEX7fNZaFWoO`.
        public var passwordHash: String

        /// The password itself, which clients of external authentication send over TLS; nil if it is not taken.
        public var clearPassword: String?

        /// Whether the password has expired, so that a login answers 63.
        public var hasExpiredPassword = false

        /// A user.
        ///
        /// - Parameters:
        ///   - name: the name.
        ///   - passwordHash: the password's hash as clients send it.
        public init(_ name: String, passwordHash: String) {
            self.name = name
            self.passwordHash = passwordHash
        }
    }

    /// The certificates of nodes that listen for TLS, in PEM.
    public struct TLS: Sendable, Hashable {
        /// The name that the certificate is for, which nodes tell as theirs.
        public var name: String

        /// The certificate and those above it.
        public var certificateChainPEM: String

        /// The certificate's key.
        public var privateKeyPEM: String

        /// Who must have signed the clients' certificates; they need none if nil.
        public var clientAuthorityPEM: String?

        /// Certificates of a node.
        ///
        /// - Parameters:
        ///   - name: the name that the certificate is for.
        ///   - certificateChainPEM: the certificate and those above it.
        ///   - privateKeyPEM: the certificate's key.
        ///   - clientAuthorityPEM: who must have signed the clients' certificates; nil if they need none.
        public init(
            name: String,
            certificateChainPEM: String,
            privateKeyPEM: String,
            clientAuthorityPEM: String? = nil
        ) {
            self.name = name
            self.certificateChainPEM = certificateChainPEM
            self.privateKeyPEM = privateKeyPEM
            self.clientAuthorityPEM = clientAuthorityPEM
        }
    }

    /// What a node still has when it starts again.
    public enum Storage: Sendable, Hashable {
        /// Nothing, as a namespace in memory after its process ended.
        case empty
        /// All that it had.
        case kept
        /// All that it had but what it changed at the end, as much as was not yet on its disk.
        ///
        /// At most ``TestCluster/Configuration/forgettableTime`` can be forgotten.
        case forgetting(Duration)
        /// All that it had, and every record that was deleted or truncated since the cluster began.
        ///
        /// That is what the Community Edition does after a cold start: its deletes leave nothing on the disk.
        case deletesComeBack
    }
}

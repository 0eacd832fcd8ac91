package import BeanspikeCore
import BodyCompression
package import Logging
import Synchronization

/// A way to a queue: from here come tubes, and from tubes jobs.
///
/// ```swift
/// let connection = try await Connection.dialDefault()
/// let tube = try connection.use("mails")
/// let id = try await tube.put("hello", timeToRun: .seconds(60), compress: true)
/// if let job = try await tube.reserve() {
///     print(job.text)
///     try await job.delete()
/// }
/// try await connection.close()
/// ```
///
/// A connection and all that comes from it may be used from any number of tasks at once. Calls that meet share what they
/// cost: a commit on disk, a round trip to a cluster.
///
/// A connection is a process of the queue: what it holds is ready for others when it is closed, or when its program dies. One
/// that is let go of without being closed gives up what it holds, but its store stays open for as long as the program runs.
public final class Connection: Sendable {
    /// What a connection tells of: the event's name, the tube, and how often it happened just then.
    ///
    /// The names are the original's: `tube.put.count`, `tube.reserve.count`, `tube.touch.count`, `tube.release.count`,
    /// `tube.buried.count`, `tube.kick.count`, `tube.delete.count`, `tube.update.count`.
    public typealias StatsHandler = @Sendable (_ event: String, _ tube: String, _ count: Int) -> Void

    /// How a connection behaves.
    public struct Configuration: Sendable {
        /// Bodies shorter than this are not tried to be compressed, in bytes; 2,048 by default.
        public var compressionBytesMin = Limits.compressionBytesMinDefault
        /// How a put that failed is tried again; once more by default, unless it may have happened.
        public var putRetries = PutRetries()
        /// Is told what happens to jobs, on whatever thread that is; nil by default.
        public var statsHandler: StatsHandler?
        /// How the store is opened.
        public var store = StoreOptions()

        /// The defaults.
        public init() {}
    }

    /// Who this is, for people: in logs, and in messages of errors.
    public let id: String
    /// How it behaves.
    public let configuration: Configuration

    let link: StoreLink
    let lanes: LaneBook
    let logger: Logger
    let compressor: BodyCompressor
    let store: any JobStore
    private let ownsStore: Bool
    /// The lane of each tube that puts share: they never wait for each other.
    private let putLanes = Mutex<[TubeName: Lane]>([:])
    private let isClosed = Mutex(false)

    /// A connection to a store that is open.
    ///
    /// - Parameters:
    ///   - id: who this is; nil for a name of the host's and process's.
    ///   - store: the store.
    ///   - ownsStore: whether closing the connection closes the store.
    ///   - configuration: how the connection behaves.
    ///   - logger: what is told of it.
    package init(
        id: String? = nil,
        store: any JobStore,
        ownsStore: Bool,
        configuration: Configuration = Configuration(),
        logger: Logger = Logger(label: "beanspike")
    ) {
        self.id = id ?? Self.makeID()
        self.store = store
        self.ownsStore = ownsStore
        self.configuration = configuration
        self.logger = logger
        compressor = BodyCompressor(bodyBytesMin: configuration.compressionBytesMin)
        link = StoreLink(store)
        lanes = LaneBook(link)
    }

    deinit {
        if !isClosed.withLock({ $0 }) { link.stop() }
    }

    /// Where the store does its work, for tasks that make many calls: one that prefers this executor gets its answers
    /// without a change of threads.
    ///
    /// Nil where calls run on their caller's thread (the embedded store). What takes long must not be done there: it holds
    /// up the connections to the cluster. It ends with the connection, so close that from somewhere else.
    ///
    /// ```swift
    /// await withTaskExecutorPreference(connection.executor) { … }
    /// ```
    public var executor: (any TaskExecutor)? { store.executor }

    /// A tube, which exists as soon as it has a job.
    ///
    /// - Parameter name: letters, digits and `-+/;.$_()`, not starting with `-`, 1 to 200 bytes.
    /// - Returns: the tube.
    /// - Throws: ``BeanspikeError`` with `invalidArgument` where the name breaks a rule.
    public func use(_ name: String) throws(BeanspikeError) -> Tube {
        guard let tube = TubeName(name) else {
            throw BeanspikeError(
                .invalidArgument,
                "\"\(name)\" is no tube's name: 1 to 200 letters, digits and -+/;.$_(), not starting with -."
            )
        }
        return Tube(connection: self, tubeName: tube, putRetries: configuration.putRetries)
    }

    /// Deletes all jobs of a tube, those that somebody holds too; a tube that is not there has none.
    ///
    /// - Parameter name: the tube's name.
    /// - Returns: how many jobs there were.
    /// - Throws: ``BeanspikeError`` with `invalidArgument`, or with what the store says.
    @discardableResult
    public func delete(_ name: String) async throws -> Int {
        let tube = try use(name)
        let reply = try await run(.truncate(tube.tubeName), in: tube.tubeName)
        guard case .truncated(let count) = reply else { throw unexpected(reply, of: "delete tube") }
        return Int(clamping: count)
    }

    /// The names of all tubes that have jobs or that somebody uses.
    public func tubes() async throws -> [String] {
        let reply = try await run(.tubes, in: .default)
        guard case .tubes(let names) = reply else { throw unexpected(reply, of: "tubes") }
        return names.map(\.description).sorted()
    }

    /// Closes the connection: what is held through it is ready for others, and calls under way end with an error.
    ///
    /// - Throws: ``BeanspikeError`` where the store could not write its last changes; none of those was acknowledged.
    public func close() async throws {
        let isFirst = isClosed.withLock { isClosed in
            defer { isClosed = true }
            return !isClosed
        }
        guard isFirst else { return }
        await link.close()
        guard ownsStore else { return }
        do {
            try await store.close()
        } catch {
            throw (error as? JobStoreError).map { BeanspikeError($0) }
                ?? BeanspikeError(.writeFailed, "The store could not be closed: \(error)", inDoubt: true, cause: error)
        }
    }

    // MARK: - Calls

    /// Runs a command on a lane of its own.
    func run(_ command: Command, in tube: TubeName) async throws -> Reply {
        try await answer(command, in: tube).reply
    }

    func answer(_ command: Command, in tube: TubeName) async throws -> Answer {
        let lane = lanes.take([tube])
        let answers = try await link.run(Call([command]), on: lane)
        lanes.giveBack(lane)
        guard let answer = answers.first else { throw BeanspikeError.closed }
        if case .failed(let error) = answer.reply { throw BeanspikeError(error) }
        return answer
    }

    func putLane(_ tube: TubeName) -> Lane {
        putLanes.withLock { lanes in
            if let lane = lanes[tube] { return lane }
            let lane = Lane(tubes: [tube])
            lanes[tube] = lane
            return lane
        }
    }

    func note(_ event: String, _ tube: TubeName, _ count: Int = 1) {
        guard let handler = configuration.statsHandler, count > 0 else { return }
        handler(event, tube.description, count)
    }

    /// A store that answers what was not asked.
    func unexpected(_ reply: Reply, of what: String) -> BeanspikeError {
        if case .failed(let error) = reply { return BeanspikeError(error) }
        return BeanspikeError(.readFailed, "The store answered \(what) with \(reply), which makes no sense.")
    }
}

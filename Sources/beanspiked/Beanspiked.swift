import ArgumentParser
import Beanspike
import BeanspikeCore
import BeanspikeServer
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import UnixSignals

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What is told on the command line, with beanstalkd's letters.
struct Beanspiked: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "beanspiked",
        abstract: "A job queue that speaks beanstalkd's protocol and keeps what it acknowledges.",
        discussion: """
            Takes beanstalkd's flags, so that it takes beanstalkd's place in a unit file. Without --store and -b, \
            AEROSPIKE_HOST and AEROSPIKE_PORT choose an Aerospike cluster where they are set.

            Signals: TERM and INT stop cleanly, USR1 turns jobs away (DRAINING), USR2 takes them again.
            """
    )

    @Option(
        name: .customShort("l", allowingJoined: true),
        help: ArgumentHelp("Listen on this address, or on a Unix socket.", valueName: "ADDR|unix:PATH")
    )
    var address = "127.0.0.1"

    @Option(
        name: .customShort("p", allowingJoined: true),
        help: ArgumentHelp("Listen on this port; 0 takes a free one.", valueName: "PORT")
    )
    var port: UInt16 = 11_300

    @Option(
        help: ArgumentHelp(
            "Where jobs are kept: embedded:DIR, memory: or aerospike://HOST[:PORT],…[/NAMESPACE]. "
                + "(default: embedded:./beanspike-data)",
            valueName: "URL"
        )
    )
    var store: String?

    @Option(
        name: .customShort("b", allowingJoined: true),
        help: ArgumentHelp("The same as --store embedded:DIR.", valueName: "DIR")
    )
    var directory: String?

    @Option(
        name: .customShort("f", allowingJoined: true),
        help: ArgumentHelp("Sync at most every MS milliseconds; 0 is the same as -D.", valueName: "MS")
    )
    var syncMilliseconds: UInt32?

    @Flag(name: .customShort("F"), help: "Never sync: the system writes when it likes.")
    var neverSyncs = false

    @Flag(name: .customShort("D"), help: "Commit before acknowledging: the default. Goes before -f, and -f before -F.")
    var commits = false

    @Option(
        name: .customShort("z", allowingJoined: true),
        help: ArgumentHelp("The largest job in bytes, at most \(Limits.bodyBytesMaxCeiling).", valueName: "BYTES")
    )
    var bodyBytesMax: UInt64 = UInt64(Limits.bodyBytesMaxDefault)

    @Option(
        name: .customShort("s", allowingJoined: true),
        help: ArgumentHelp("The size of a journal file.", valueName: "BYTES")
    )
    var journalFileBytesMax: UInt64?

    @Option(
        name: .customShort("c", allowingJoined: true),
        help: ArgumentHelp("Connections at once; one more is refused. 0 means any number.", valueName: "N")
    )
    var connectionsMax: UInt32 = 0

    @Option(
        name: .customShort("I", allowingJoined: true),
        help: ArgumentHelp("Close connections idle for SEC seconds. 0 means never.", valueName: "SEC")
    )
    var idleSeconds: UInt32 = 0

    @Flag(name: .customShort("H"), help: "Answer HTTP's GET and HEAD on the port: 200 ok, or 503 draining.")
    var answersHealth = false

    @Flag(help: "Keep bodies of 2 KiB and more compressed where that saves something; clients see nothing of it.")
    var compress = false

    @Option(
        name: .customShort("u", allowingJoined: true),
        help: ArgumentHelp("Become this user, and its group, once the port is bound.", valueName: "USER")
    )
    var user: String?

    @Option(help: ArgumentHelp("The web page's address.", valueName: "ADDR:PORT|off"))
    var http = "off"

    @Option(help: ArgumentHelp("Threads that serve connections; with 1, it serves a cluster too.", valueName: "N"))
    var threads = 1

    @OptionGroup(title: "On Aerospike")
    var cluster: ClusterFlags

    @Flag(name: .customShort("n"), help: "Taken for beanstalkd's sake; the journal is always compacted.")
    var doesNotCompact = false

    @Flag(name: .customShort("V"), help: "Say more on standard error. May be given three times.")
    var verbosity: Int

    @Flag(name: [.customShort("v"), .customLong("version")], help: "Show the version.")
    var showsVersion = false

    func validate() throws {
        if store != nil, directory != nil { throw ValidationError("-b and --store both name a store: give one.") }
        if threads < 1 || threads > 256 { throw ValidationError("--threads is \(threads): give 1 to 256.") }
        if http != "off" { throw ValidationError("--http \(http): this build has no web page: give off.") }
        do {
            _ = try location(environment: [:])
        } catch {
            throw ValidationError(error.message)
        }
    }

    /// The store that is asked for.
    func location(environment: [String: String]) throws(JobStoreError) -> StoreLocation {
        if let directory { return try StoreLocation("embedded:\(directory)") }
        if let store { return try StoreLocation(store) }
        return try StoreLocation(environment: environment)
    }

    /// How the store is opened.
    var storeOptions: StoreOptions {
        var durability = StoreDurability.committed
        if !commits {
            if let syncMilliseconds {
                durability = syncMilliseconds == 0 ? .committed : .every(milliseconds: syncMilliseconds)
            } else if neverSyncs {
                durability = .never
            }
        }
        var options = StoreOptions(durability: durability, journalFileBytesMax: journalFileBytesMax)
        cluster.apply(to: &options)
        return options
    }

    /// The flags that were given and that a store on a cluster has no use for.
    var embeddedFlags: [String] {
        var flags: [String] = []
        if commits { flags.append("-D") }
        if syncMilliseconds != nil { flags.append("-f") }
        if neverSyncs { flags.append("-F") }
        if journalFileBytesMax != nil { flags.append("-s") }
        return flags
    }

    /// How clients are treated.
    var serverOptions: ServerOptions {
        ServerOptions(
            bodyBytesMax: Int(min(bodyBytesMax, UInt64(Limits.bodyBytesMaxCeiling))),
            connectionsMax: connectionsMax == 0 ? nil : Int(connectionsMax),
            idleTimeout: idleSeconds == 0 ? nil : .seconds(Int64(idleSeconds)),
            answersHealth: answersHealth,
            compressesBodies: compress
        )
    }

    /// A logger that writes what `-V` asks for to standard error.
    var logger: Logger {
        var logger = Logger(label: "beanspiked", factory: StreamLogHandler.standardError(label:))
        logger.logLevel =
            switch verbosity {
            case 0: .notice
            case 1: .info
            case 2: .debug
            default: .trace
            }
        return logger
    }
}

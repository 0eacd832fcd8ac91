import ArgumentParser
import Beanspike
import BeanspikeCore
import Glibc
import NIOCore
import NIOPosix

/// Says what a store promises, and how to better it.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Say what a store promises to the jobs in it, and how to make it promise more.",
        discussion: """
            Looks at the place that `beanspiked --store URL` would keep jobs in, without
            opening it: the settings of an Aerospike cluster, on every node, or a
            directory and its disk. Nothing is changed, and a server may run meanwhile.

            What is not as it should be comes with what it means for jobs, what to type to
            change it, and the lines of the configuration file that make it last. Exits 1
            if the store would be refused or cannot be reached, 0 otherwise.

            Without a URL it is the store that beanspiked would use: AEROSPIKE_HOST where
            it is set, or embedded:./beanspike-data.

            Examples:
              beanspike doctor aerospike://10.0.0.1:3000/beanspike
              beanspike doctor embedded:/var/lib/beanspike
              beanspike doctor --json | jq 'select(.level == "refused")'
            """
    )

    @OptionGroup var options: ServerOptions
    @Argument(help: "The store: embedded:DIR, memory: or aerospike://HOST[:PORT],…[/NAMESPACE]; --store says the same.")
    var url: String?
    @Flag(name: .shortAndLong, help: "Tell what is as it should be, too, in full.") var verbose = false

    func validate() throws {
        if url != nil, options.store != nil { throw ValidationError("The store is named twice: give one.") }
        if !options.server.isEmpty {
            throw ValidationError("doctor looks at a store, not at a server: name the store that the server uses.")
        }
    }

    func run() throws {
        let location = try location(environment: Self.environment())
        let examination: StoreExamination
        do {
            examination = try MultiThreadedEventLoopGroup.singleton.any()
                .makeFutureWithTask { try await location.examine() }.wait()
        } catch let error as JobStoreError {
            throw CommandError.failed(error.message)
        }
        let report = DoctorReport(location: location, examination: examination)
        for line in options.json ? report.json.map(\.text) : report.lines(isVerbose: verbose) { Output.line(line) }
        guard examination.level < .refused else {
            throw CommandError.failed("\(location) is not fit for jobs: see above.")
        }
    }

    /// The store that is asked about.
    func location(environment: [String: String]) throws -> StoreLocation {
        do throws(JobStoreError) {
            if let url = url ?? options.store { return try StoreLocation(url) }
            return try StoreLocation(environment: environment)
        } catch {
            throw CommandError.misused(error.message)
        }
    }

    private static func environment() -> [String: String] {
        var result: [String: String] = [:]
        for name in ["AEROSPIKE_HOST", "AEROSPIKE_PORT"] {
            if let value = getenv(name) { result[name] = String(cString: value) }
        }
        return result
    }
}

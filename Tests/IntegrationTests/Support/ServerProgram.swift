import Foundation

/// The program under test: our `beanspiked`, or the one that `BEANSPIKE_TEST_SERVER` names.
///
/// Naming a beanstalkd there proves the tests themselves: what it answers is the specification.
struct ServerProgram: Sendable {
    /// Whose manners the program has.
    enum Flavor: String, Sendable {
        /// Prints a ready line, takes `-p 0`, `--store` and `--http`.
        case beanspike
        /// Prints nothing and wants a port.
        case beanstalkd
    }

    var path: String
    var flavor: Flavor

    /// The program that all tests run.
    static let underTest = ServerProgram(
        path: ProcessInfo.processInfo.environment["BEANSPIKE_TEST_SERVER"] ?? productsDirectory + "/beanspiked"
    )

    /// beanstalkd as the system's packages install it: the peer of the differential test.
    static let beanstalkd = ServerProgram(
        path: ProcessInfo.processInfo.environment["BEANSPIKE_TEST_PEER"] ?? "/usr/bin/beanstalkd"
    )

    init(path: String) {
        self.path = path
        self.flavor = path.split(separator: "/").last?.hasPrefix("beanstalkd") == true ? .beanstalkd : .beanspike
    }

    /// Whether there is such a program.
    var isInstalled: Bool { access(path, X_OK) == 0 }

    /// Whether what only our server promises can be tested.
    static var isOurs: Bool { underTest.flavor == .beanspike }

    /// Where the build put the programs: beside the test bundle that runs now.
    static let productsDirectory: String = {
        let executable = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return (executable as NSString).deletingLastPathComponent
    }()
}

/// The version of a node: the answer to `build`, such as `8.1.0.3` or `8.1.0.3-12-gabcdef`.
package struct ServerVersion: Sendable, Hashable, Comparable {
    private let numbers: [Int]

    /// Reads a version; nil if it does not begin with a number.
    package init?(_ text: String) {
        numbers = text.prefix { $0 != "-" }.split(separator: ".").prefix(4).map { part in
            Int(part.prefix(while: \.isNumber)) ?? 0
        }
        guard text.first?.isNumber == true else { return nil }
    }

    /// A version.
    package init(_ major: Int, _ minor: Int = 0, _ patch: Int = 0, _ build: Int = 0) {
        numbers = [major, minor, patch, build]
    }

    /// The oldest version that this client speaks to.
    package static let oldest = ServerVersion(6)

    package static func == (left: ServerVersion, right: ServerVersion) -> Bool {
        left.padded == right.padded
    }

    package static func < (left: ServerVersion, right: ServerVersion) -> Bool {
        left.padded.lexicographicallyPrecedes(right.padded)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(padded)
    }

    private var padded: [Int] {
        numbers + Array(repeating: 0, count: 4 - numbers.count)
    }
}

extension ServerVersion: CustomStringConvertible {
    package var description: String {
        numbers.map(String.init).joined(separator: ".")
    }
}

import ArgumentParser
import BeanspikeCore

/// A tube named on the command line.
struct TubeArgument: ExpressibleByArgument, Equatable {
    let name: TubeName

    init?(argument: String) {
        guard let name = TubeName(argument) else { return nil }
        self.name = name
    }

    init(_ name: TubeName) { self.name = name }

    var defaultValueDescription: String { name.description }
}

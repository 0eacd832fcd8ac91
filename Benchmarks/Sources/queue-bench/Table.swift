/// What the rounds came to, and the bars beside it.
struct Table {
    private let depths: [Int]
    /// One caller's median of each round, in nanoseconds.
    private var plain: [Double] = []
    private var queue: [Int: [PhasedCaller.Phase: [Double]]] = [:]
    private var plainRates: [Double] = []
    private var jobRates: [Double] = []

    /// What one caller's median may be beside a plain put's.
    private static let bars: [(phase: PhasedCaller.Phase, bar: Double)] = [
        (.put, 1.3), (.reserve, 1.6), (.delete, 1.3), (.touch, 1.3), (.release, 1.5),
    ]

    init(depths: [Int]) { self.depths = depths }

    mutating func add(plain times: [Int64]) { plain.append(Double(times.quantile(0.5))) }

    mutating func add(_ times: [PhasedCaller.Phase: [Int64]], depth: Int) {
        for (phase, times) in times {
            queue[depth, default: [:]][phase, default: []].append(Double(times.quantile(0.5)))
        }
    }

    mutating func add(plainRate: Double, jobs: Double) {
        plainRates.append(plainRate)
        jobRates.append(jobs)
    }

    private func ratios(_ phase: PhasedCaller.Phase, _ depth: Int, to others: [Double]) -> Double {
        zip(queue[depth]?[phase] ?? [], others).map { $0 / $1 }.median
    }

    func print() {
        Swift.print(
            "\n== one caller in turn, \(plain.count) rounds: medians, and ratios to the plain put of the round\n"
        )
        Swift.print("plain put \(Self.micro(Int64(plain.median))) us")
        for (phase, bar) in Self.bars {
            for depth in depths {
                let times = queue[depth]?[phase] ?? []
                let ratio = ratios(phase, depth, to: plain)
                Swift.print(
                    Self.line(
                        "\(phase.rawValue), \(depth) waiting",
                        "\(Self.micro(Int64(times.median))) us, \(Self.two(ratio)) of it",
                        ratio <= bar,
                        "the bar is at most \(bar)"
                    )
                )
            }
            if let few = depths.min(), let many = depths.max(), few < many, phase != .touch {
                let ratio = ratios(phase, many, to: queue[few]?[phase] ?? [])
                Swift.print(
                    Self.line("\(phase.rawValue), \(many) beside \(few)", Self.two(ratio), ratio <= 1.2, "at most 1.2")
                )
            }
        }
        Swift.print("\n== eight callers\n")
        let ratio = zip(jobRates, plainRates).map { $0 / $1 }.median
        Swift.print("plain puts \(Int(plainRates.median))/s")
        Swift.print(
            Self.line(
                "reserve and delete, jobs",
                "\(Int(jobRates.median))/s, \(Self.two(ratio)) of it",
                ratio >= 0.4,
                "the bar is at least 0.4"
            )
        )
    }

    static func line(_ what: String, _ value: String, _ isMet: Bool, _ bar: String) -> String {
        let name = what + String(repeating: " ", count: max(1, 52 - what.count))
        return "\(name)\(value); \(bar): \(isMet ? "met" : "NOT MET")"
    }

    static func micro(_ nanoseconds: Int64) -> String { "\(Double(nanoseconds / 100) / 10)" }

    static func two(_ number: Double) -> String { number.isFinite ? "\((number * 100).rounded() / 100)" : "-" }
}

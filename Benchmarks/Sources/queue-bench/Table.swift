/// What the rounds came to, and the bars beside it.
struct Table {
    private let depths: [Int]
    /// One caller's medians of each round, in nanoseconds: of the queue's calls, and of the plain puts between them.
    private var queue: [Int: [OneCaller.Phase: [Double]]] = [:]
    private var plain: [Int: [OneCaller.Phase: [Double]]] = [:]
    private var plainRates: [Double] = []
    private var jobRates: [Double] = []

    /// What one caller's median may be beside a plain put's.
    private static let bars: [(phase: OneCaller.Phase, bar: Double)] = [
        (.put, 1.3), (.reserve, 1.6), (.delete, 1.3), (.touch, 1.3), (.release, 1.5),
    ]

    init(depths: [Int]) { self.depths = depths }

    mutating func add(_ times: OneCaller.Times, depth: Int) {
        for (phase, times) in times.queue {
            queue[depth, default: [:]][phase, default: []].append(Double(times.quantile(0.5)))
        }
        for (phase, times) in times.plain {
            plain[depth, default: [:]][phase, default: []].append(Double(times.quantile(0.5)))
        }
    }

    mutating func add(plainRate: Double, jobs: Double) {
        plainRates.append(plainRate)
        jobRates.append(jobs)
    }

    /// The median of the rounds' ratios.
    private func ratio(_ phase: OneCaller.Phase, _ depth: Int) -> Double {
        zip(queue[depth]?[phase] ?? [], plain[depth]?[phase] ?? []).map { $0 / $1 }.median
    }

    func print() {
        Swift.print("\n== one caller, a plain put before each call: medians of the rounds, and their ratio\n")
        for (phase, bar) in Self.bars {
            for depth in depths {
                let time = Self.micro(Int64((queue[depth]?[phase] ?? []).median))
                let plainTime = Self.micro(Int64((plain[depth]?[phase] ?? []).median))
                let ratio = ratio(phase, depth)
                Swift.print(
                    Self.line(
                        "\(phase.rawValue), \(depth) waiting",
                        "\(time) us beside \(plainTime), \(Self.two(ratio)) of it",
                        ratio <= bar,
                        "the bar is at most \(bar)"
                    )
                )
            }
            if let few = depths.min(), let many = depths.max(), few < many, phase != .touch {
                let growth = ratio(phase, many) / ratio(phase, few)
                Swift.print(
                    Self.line(
                        "\(phase.rawValue), \(many) beside \(few)",
                        Self.two(growth),
                        growth <= 1.2,
                        "the bar is at most 1.2"
                    )
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

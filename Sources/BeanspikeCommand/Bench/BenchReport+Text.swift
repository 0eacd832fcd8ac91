import Histogram

extension BenchReport {
    /// The report for people.
    var textLines: [String] {
        var lines = [
            "\(plan.connections) connections, \(plan.bodyBytes)-byte bodies, "
                + "\(Format.grouped(UInt64(plan.jobs))) jobs a round"
        ]
        lines += Format.table(plan.servers.map { [$0.name, "\($0.address)"] })
        for group in groups {
            guard let first = group.first else { continue }
            let shape =
                first.workload == .cycle
                ? "one connection, one command at a time" : "\(first.inFlight) in flight on each connection"
            lines += ["", "\(first.workload.rawValue), \(shape): \(first.workload.unit)"]
            lines += Format.table(rows(of: group))
        }
        for (server, errors) in zip(plan.servers, errors) {
            for (line, count) in errors.sorted(by: { $0.value > $1.value }) {
                lines += ["", "\(server.name): \(Format.grouped(UInt64(count))) times \(line)"]
            }
        }
        return lines
    }

    private func rows(of group: [Series]) -> [[String]] {
        guard let first = group.first else { return [] }
        let others = group.dropFirst()
        let name = { (series: Series) in plan.servers[series.server].name }
        let ratios = others.map { Self.ratios(first, $0) }
        var rows = [[""] + group.map(name) + others.map { "\(name(first))/\(name($0))" }]
        func row(_ title: String, _ figure: ([Double]) -> Double?) -> [String] {
            [title] + group.map { figure($0.figures).map { Format.grouped($0) } ?? "-" }
                + ratios.map { figure($0).map { Format.fixed($0, digits: 2) } ?? "-" }
        }
        for round in 0..<(group.map(\.figures.count).max() ?? 0) {
            rows.append(row("round \(round + 1)") { round < $0.count ? $0[round] : nil })
        }
        rows.append(row("median") { Format.median($0) })
        rows.append(row("min") { $0.min() })
        rows.append(row("max") { $0.max() })
        if first.workload == .memory { return rows }
        let commands = first.workload == .cycle ? LoadCommand.allCases.map(Optional.some) : [nil]
        for command in commands {
            let histograms = group.map { one in
                command.map { one.latencies[Int($0.rawValue)] } ?? one.latency
            }
            for percentile in Self.percentiles {
                rows.append(
                    ["\(command?.name ?? "latency") \(percentile.name)"]
                        + histograms.map { Format.duration(nanoseconds: $0.valueAtPercentile(percentile.value)) }
                )
            }
        }
        rows.append(["server CPU a job"] + group.map { Self.cpu($0.serverCPUNanoseconds, $0) })
        rows.append(["generator CPU a job"] + group.map { Self.cpu($0.generatorCPUNanoseconds, $0) })
        rows.append(
            ["generator's share of a CPU"]
                + group.map {
                    Format.fixed(
                        100 * Double($0.generatorCPUNanoseconds) / Double(max(1, $0.nanoseconds)),
                        digits: 0
                    ) + " %"
                }
        )
        return rows
    }

    private static func cpu(_ spent: UInt64?, _ series: Series) -> String {
        spent.map { Format.duration(nanoseconds: $0 / UInt64(max(1, series.jobs))) } ?? "-"
    }
}

import Histogram

extension BenchReport {
    /// The report for programs: a line for each series, and for each ratio.
    var jsonLines: [String] {
        groups.flatMap { group -> [String] in
            guard let first = group.first else { return [] }
            return group.map { json(of: $0).text }
                + group.dropFirst().map { json(ofRatio: first, to: $0).text }
        }
    }

    private func json(of one: Series) -> JSONValue {
        let server = plan.servers[one.server]
        var members: [(String, JSONValue)] = [
            ("workload", .string(one.workload.rawValue)),
            ("in_flight", .integer(Int64(one.inFlight))),
            ("connections", .integer(Int64(one.workload == .cycle ? 1 : plan.connections))),
            ("body_bytes", .integer(Int64(plan.bodyBytes))),
            ("server", .string(server.name)),
            ("address", .string("\(server.address)")),
            ("unit", .string(one.workload.unit)),
            ("rounds", .array(one.figures.map { .number($0) })),
            ("median", .number(Format.median(one.figures) ?? .nan)),
            ("min", .number(one.figures.min() ?? .nan)),
            ("max", .number(one.figures.max() ?? .nan)),
            ("jobs", .integer(Int64(one.jobs))),
            ("errors", .integer(Int64(errors[one.server].values.reduce(0, +)))),
        ]
        if one.workload != .memory {
            members.append(("latency_ns", Self.json(of: one.latency)))
            for command in LoadCommand.allCases where one.workload == .cycle {
                members.append(("\(command.name)_latency_ns", Self.json(of: one.latencies[Int(command.rawValue)])))
            }
            let jobs = Double(max(1, one.jobs))
            members.append(
                ("server_cpu_ns_per_job", one.serverCPUNanoseconds.map { .number(Double($0) / jobs) } ?? .null)
            )
            members.append(("generator_cpu_ns_per_job", .number(Double(one.generatorCPUNanoseconds) / jobs)))
        }
        return .object(members)
    }

    private func json(ofRatio first: Series, to other: Series) -> JSONValue {
        let ratios = Self.ratios(first, other)
        return .object([
            ("workload", .string(first.workload.rawValue)),
            ("in_flight", .integer(Int64(first.inFlight))),
            ("ratio", .string("\(plan.servers[first.server].name)/\(plan.servers[other.server].name)")),
            ("rounds", .array(ratios.map { .number($0) })),
            ("median", .number(Format.median(ratios) ?? .nan)),
            ("min", .number(ratios.min() ?? .nan)),
            ("max", .number(ratios.max() ?? .nan)),
        ])
    }

    private static func json(of latency: Histogram<UInt64>) -> JSONValue {
        .object(percentiles.map { ($0.name, .unsigned(latency.valueAtPercentile($0.value))) })
    }
}

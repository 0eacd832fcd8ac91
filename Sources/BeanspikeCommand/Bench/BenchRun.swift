import Glibc

/// Carries a benchmark out.
struct BenchRun {
    let plan: BenchPlan
    let progress: ProgressBar
    let tube: String

    init(_ plan: BenchPlan, progress: ProgressBar) {
        self.plan = plan
        self.progress = progress
        tube = "beanspike-bench-\(getpid())-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
    }

    /// Runs every round.
    func run() throws -> BenchReport {
        defer { progress.clear() }
        var report = BenchReport(plan)
        let processes = try plan.servers.map { server in
            if let id = server.processID {
                guard let process = ServerProcess(id: id) else {
                    throw CommandError.misused("There is no process \(id): check --pid.")
                }
                return ServerProcess?.some(process)
            }
            return try ServerProcess(of: BeanstalkConnection(to: server.address))
        }
        for workload in plan.workloads where workload == .memory && processes.contains(nil) {
            throw CommandError.misused("The memory workload needs the servers' processes: name them with --pid.")
        }
        for (index, inFlight) in plan.inFlights.enumerated() where Interruption.signalReceived == nil {
            let workloads = Set(plan.workloads)
            if !workloads.isDisjoint(with: [.put, .reserveDelete, .work, .mixed])
                || workloads.contains(.memory) && index == 0
            {
                try measure(inFlight: inFlight, isFirst: index == 0, processes, &report)
            }
        }
        if plan.workloads.contains(.cycle) { try measureCycle(processes, &report) }
        return report
    }

    private func generators(_ shape: LoadShape) throws -> [LoadGenerator] {
        try plan.servers.map {
            try LoadGenerator(
                $0.address,
                shape: shape,
                tube: tube,
                ttrSeconds: BenchPlan.ttrSeconds,
                allowRemote: plan.allowRemote
            )
        }
    }

    private func measure(
        inFlight: Int,
        isFirst: Bool,
        _ processes: [ServerProcess?],
        _ report: inout BenchReport
    ) throws {
        let shape = LoadShape(connections: plan.connections, inFlight: inFlight, bodyBytes: plan.bodyBytes)
        let generators = try generators(shape)
        if isFirst, plan.workloads.contains(.memory) {
            for (index, generator) in generators.enumerated() where Interruption.signalReceived == nil {
                try measureMemory(generator, index, processes[index], inFlight, &report)
            }
        }
        guard plan.workloads.contains(where: { $0 != .memory && $0 != .cycle }) else { return }
        try warmUp(generators, &report)
        for round in 1...plan.rounds where Interruption.signalReceived == nil {
            for (index, generator) in generators.enumerated() where Interruption.signalReceived == nil {
                let phases = Phases(
                    run: self,
                    generator: generator,
                    process: processes[index],
                    label: "\(plan.servers[index].name), round \(round) of \(plan.rounds), \(inFlight) in flight"
                )
                var left = 0
                if plan.workloads.contains(.put) || plan.workloads.contains(.reserveDelete) {
                    let fill = try phases.run(.fill(plan.jobs), "put")
                    report.add(fill, .put, server: index, inFlight: inFlight)
                    let drain = try phases.run(.drain(fill.outcome.tally.unitsDone), "reserve-delete")
                    report.add(drain, .reserveDelete, server: index, inFlight: inFlight)
                    left = fill.outcome.tally.unitsDone - drain.outcome.tally.unitsDone
                }
                if plan.workloads.contains(.work) {
                    let fill = try phases.run(.fill(plan.jobs), "filling for work")
                    report.countErrors(of: fill, server: index)
                    let work = try phases.run(.work(fill.outcome.tally.unitsDone), "work")
                    report.add(work, .work, server: index, inFlight: inFlight)
                    left += fill.outcome.tally.unitsDone - work.outcome.tally.unitsDone
                }
                if plan.workloads.contains(.mixed) {
                    report.add(try phases.run(.cycle(plan.jobs), "mixed"), .mixed, server: index, inFlight: inFlight)
                }
                try phases.clear(&report, server: index, left: left)
            }
        }
    }

    private func measureCycle(_ processes: [ServerProcess?], _ report: inout BenchReport) throws {
        let generators = try generators(LoadShape(connections: 1, inFlight: 1, bodyBytes: plan.bodyBytes))
        try warmUp(generators, &report)
        for round in 1...plan.rounds {
            for (index, generator) in generators.enumerated() where Interruption.signalReceived == nil {
                let phases = Phases(
                    run: self,
                    generator: generator,
                    process: processes[index],
                    label: "\(plan.servers[index].name), round \(round) of \(plan.rounds)"
                )
                let cycle = try phases.run(.cycle(min(plan.jobs, BenchPlan.cycleJobsMax)), "cycle")
                report.add(cycle, .cycle, server: index, inFlight: 1)
                try phases.clear(&report, server: index)
            }
        }
    }

    private func measureMemory(
        _ generator: LoadGenerator,
        _ index: Int,
        _ process: ServerProcess?,
        _ inFlight: Int,
        _ report: inout BenchReport
    ) throws {
        let phases = Phases(run: self, generator: generator, process: process, label: plan.servers[index].name)
        let before = process?.residentBytes
        let fill = try phases.run(.fill(plan.jobs), "memory")
        let after = process?.residentBytes
        guard let before, let after else {
            throw CommandError.failed("The process of \(plan.servers[index].name) cannot be seen: check --pid.")
        }
        report.addMemory(fill, before: before, after: after, server: index, inFlight: inFlight)
        try phases.clear(&report, server: index, left: fill.outcome.tally.unitsDone)
    }

    private func warmUp(_ generators: [LoadGenerator], _ report: inout BenchReport) throws {
        guard plan.warmUpJobs > 0 else { return }
        for (index, generator) in generators.enumerated() where Interruption.signalReceived == nil {
            let phases = Phases(run: self, generator: generator, process: nil, label: plan.servers[index].name)
            report.countErrors(of: try phases.run(.cycle(plan.warmUpJobs), "warm-up"), server: index)
            try phases.clear(&report, server: index)
        }
    }

    /// One phase's outcome and what the server spent on it.
    struct Measurement {
        var outcome: LoadGenerator.Outcome
        var serverCPUNanoseconds: UInt64?
    }

    /// Runs phases on one server in one round.
    private struct Phases {
        let run: BenchRun
        let generator: LoadGenerator
        let process: ServerProcess?
        let label: String

        func run(_ load: LoadPlan, _ name: String) throws -> Measurement {
            let before = process?.cpuNanoseconds
            let outcome = try generator.run(load, secondsMax: run.plan.secondsMax) { done in
                run.progress.show("\(name): \(label)", done: done, of: load.units)
            }
            var spent: UInt64?
            if let before, let after = process?.cpuNanoseconds { spent = after - before }
            return Measurement(outcome: outcome, serverCPUNanoseconds: spent)
        }

        /// Empties the tube, where a phase that ended early has left so many jobs.
        func clear(_ report: inout BenchReport, server: Int, left: Int = 0) throws {
            for load in left > 0 ? [.cleanUp(left), .clear] : [LoadPlan.clear] {
                var outcome = try generator.run(load, secondsMax: 3_600) { done in
                    run.progress.show("emptying the tube: \(label)", done: done, of: max(left, done))
                }
                if load == .clear, outcome.tally.unitsDone > 0 {
                    outcome.tally.errors["(jobs that were there twice)"] = outcome.tally.unitsDone
                }
                report.countErrors(of: Measurement(outcome: outcome), server: server)
            }
        }
    }
}

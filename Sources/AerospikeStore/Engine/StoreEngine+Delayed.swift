import Aerospike
import BeanspikeCore
import Logging
import NIOCore

// Delayed jobs are made ready by whatever process knows when the first of them is due; the entry's state, as it was seen, makes
// sure that it is done once.
extension StoreEngine {
    /// Notes when a delayed job of a tube may be due.
    func noteWake(_ tube: Tube, _ milliseconds: Int64) {
        guard tube.wakeMilliseconds.map({ milliseconds < $0 }) ?? true else { return }
        tube.wakeMilliseconds = milliseconds
        timers.insert(.wake(tube), at: registry.clock.deadline(atMilliseconds: milliseconds))
    }

    func wake(_ tube: Tube, _ now: NIODeadline) {
        // A store that is closed looks at nothing any more: others do.
        guard !isClosing, tubes[tube.name] === tube, let due = tube.wakeMilliseconds else { return }
        guard due <= clusterMilliseconds else {
            timers.insert(.wake(tube), at: max(now + .milliseconds(1), registry.clock.deadline(atMilliseconds: due)))
            return
        }
        guard !tube.isSweeping else {
            // The sweep under way may have passed it already: its time is kept, and another sweep comes.
            timers.insert(.wake(tube), at: now + .milliseconds(5))
            return
        }
        begin { engine in await engine.sweep(tube) }
    }

    /// Makes ready what is due in a tube.
    func sweep(_ tube: Tube) async {
        guard !tube.isSweeping else { return }
        tube.isSweeping = true
        tube.wakeMilliseconds = nil
        var isDone = false
        do {
            isDone = try await reopening(tube) { try await sweepOnce(tube) }
        } catch {
            logger.warning(
                "delayed jobs could not be made ready",
                metadata: ["tube": "\(tube.name)", "error": "\(error)"]
            )
        }
        endSweep(tube)
        if !isDone { noteWake(tube, clusterMilliseconds + 50) }
    }

    func endSweep(_ tube: Tube) {
        tube.isSweeping = false
        let waiters = tube.whenSwept
        tube.whenSwept = []
        for waiter in waiters { waiter.resume() }
    }

    /// - Returns: whether all that is due was looked at.
    private func sweepOnce(_ tube: Tube) async throws -> Bool {
        guard let directory = try await findDirectory(tube) else { return true }
        for _ in 0..<64 {
            let now = clusterMilliseconds
            let entries = try await directory.best(.wake, limit: 16)
            for entry in entries where entry.key.major <= now {
                // Others, or a later life, find what is due.
                if isClosing { return true }
                try await sweep(entry, tube, directory, now)
            }
            if let next = entries.first(where: { $0.key.major > now }) {
                noteWake(tube, next.key.major)
                return true
            }
            if entries.isEmpty { return true }
        }
        return false
    }

    private func sweep(
        _ entry: DirectoryEntry,
        _ tube: Tube,
        _ directory: TubeDirectory,
        _ now: Int64
    ) async throws {
        let delayed = MapSelector.values(from: [2], upTo: [3])
        guard let slice = try await records.read(entry.segment, delayed) else { return }
        let segment = segment(entry.segment, of: tube, position: entry.position)
        var next: Int64?
        var dueNow: [Int: (seen: JobEntry, entry: JobEntry?)] = [:]
        for (slot, job) in slice.entries {
            guard case .delayed(let due) = job.state else { continue }
            if due <= now {
                dueNow[slot] = (job, job.due())
            } else {
                next = min(next ?? due, due)
            }
        }
        // Where another process was first, there is nothing to raise yet: the next turn looks again.
        guard await change(dueNow, of: segment) == true else { return }
        let key = next.map { DirectoryKey.time($0) }
        if try await records.raiseMark(.wake, of: segment.number, to: key) {
            segment.marks = SegmentMarks()
            try await directory.raise(entry, to: key)
        }
    }
}

import Aerospike
import BeanspikeCore
import NIOCore

/// What a segment record keeps of one job.
///
/// On the server it is a list of four elements, ordered as the queue needs it: state, two numbers, and a blob with all the
/// rest. Rank 0 of a segment's map is so its best ready job; the lowest ranks of each state are those next in turn.
struct JobEntry: Sendable, Equatable {
    /// The state, with what orders jobs in it.
    enum State: Sendable, Equatable {
        /// Waits to be reserved; in the order of priority and slot.
        case ready(priority: UInt32)
        /// Held by a process since then, by the cluster's clock in milliseconds.
        case reserved(by: ProcessNumber, sinceMilliseconds: Int64)
        /// Waits until it is due, by the cluster's clock in milliseconds.
        case delayed(untilMilliseconds: Int64)
        /// Set aside then, in microseconds of the cluster's clock.
        case buried(atMicroseconds: Int64)

        /// The state's word.
        var kind: JobState {
            switch self {
            case .ready: .ready
            case .reserved: .reserved
            case .delayed: .delayed
            case .buried: .buried
            }
        }
    }

    var state: State
    var details: JobDetails

    init(state: State, details: JobDetails) {
        self.state = state
        self.details = details
    }

    /// The first three elements: what orders the entry.
    func order(slot: Int) -> (Int64, Int64, Int64) {
        switch state {
        case .ready(let priority): (0, Int64(priority), Int64(slot))
        case .reserved(let process, let since): (1, Int64(process), since)
        case .delayed(let due): (2, due, Int64(slot))
        case .buried(let at): (3, at, Int64(slot))
        }
    }

    /// Packs the slot, and the entry as the server keeps it behind.
    func pack(slot: Int, into buffer: inout ByteBuffer) {
        let order = order(slot: slot)
        buffer.packInteger(Int64(slot))
        buffer.packListHeader(4)
        buffer.packInteger(order.0)
        buffer.packInteger(order.1)
        buffer.packInteger(order.2)
        let count = details.encodedCount
        buffer.packBytesHeader(count)
        details.encode(into: &buffer, count: count)
    }

    /// Reads an entry; nil where it is none that this version writes.
    init?(_ value: Value) {
        guard case .list(let list) = value, list.count == 4, case .integer(let state) = list[0],
            case .integer(let first) = list[1], case .integer(let second) = list[2], case .blob(let blob) = list[3],
            let details = JobDetails(blob)
        else { return nil }
        switch state {
        case 0:
            guard let priority = UInt32(exactly: first) else { return nil }
            self.state = .ready(priority: priority)
        case 1:
            self.state = .reserved(by: Int(first), sinceMilliseconds: second)
        case 2:
            self.state = .delayed(untilMilliseconds: first)
        case 3:
            self.state = .buried(atMicroseconds: first)
        default:
            return nil
        }
        self.details = details
    }

    /// How often the job was reserved, a present reservation included: that is not written down by itself.
    var reserves: UInt32 {
        if case .reserved = state { details.reserves &+ 1 } else { details.reserves }
    }
}

// MARK: - Transitions

extension JobEntry {
    /// reserved → ready or delayed: its holder gave it up, with another priority and delay, by the cluster's time.
    func released(
        priority: UInt32,
        delaySeconds: UInt32,
        isRetry: Bool,
        nowMilliseconds: Int64
    ) -> JobEntry {
        var entry = settled()
        entry.details.priority = priority
        entry.details.delaySeconds = delaySeconds
        entry.details.releases &+= 1
        entry.details.countRetry(isRetry)
        entry.state =
            delaySeconds > 0
            ? .delayed(untilMilliseconds: nowMilliseconds + Int64(delaySeconds) * 1_000) : .ready(priority: priority)
        return entry
    }

    /// reserved → buried.
    func buried(priority: UInt32, reason: String, nowMicroseconds: Int64) -> JobEntry {
        var entry = settled()
        entry.details.priority = priority
        entry.details.buries &+= 1
        if !reason.isEmpty || entry.details.attributes != nil {
            entry.details.attributes = (entry.details.attributes ?? JobAttributes()).with(buryReason: reason)
        }
        entry.state = .buried(atMicroseconds: nowMicroseconds)
        return entry
    }

    /// reserved → ready: its time to run is over.
    func timedOut() -> JobEntry {
        var entry = settled()
        entry.details.timeouts &+= 1
        entry.state = .ready(priority: entry.details.priority)
        return entry
    }

    /// reserved → ready: its holder is gone.
    func abandoned() -> JobEntry {
        var entry = settled()
        entry.state = .ready(priority: entry.details.priority)
        return entry
    }

    /// delayed → ready: it is due.
    func due() -> JobEntry {
        var entry = self
        entry.state = .ready(priority: details.priority)
        return entry
    }

    /// buried or delayed → ready.
    func kicked() -> JobEntry {
        var entry = due()
        entry.details.kicks &+= 1
        return entry
    }

    /// any state but reserved → reserved.
    func reserved(by process: ProcessNumber, nowMilliseconds: Int64) -> JobEntry {
        var entry = self
        entry.state = .reserved(by: process, sinceMilliseconds: nowMilliseconds)
        return entry
    }

    /// The entry with its present reservation counted.
    private func settled() -> JobEntry {
        var entry = self
        entry.details.reserves = reserves
        return entry
    }
}

// MARK: - Size

extension JobEntry {
    /// How much it adds to its record, in bytes.
    var approximateBytes: Int {
        var bytes = 32
        if case .inline = details.body { bytes += details.body.count } else { bytes += 32 }
        if let attributes = details.attributes {
            bytes += 24 + attributes.metadata.count + attributes.buryReason.utf8.count
        }
        return bytes
    }
}

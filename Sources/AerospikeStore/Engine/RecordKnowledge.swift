import BeanspikeCore

/// What a process knows of a segment's record because its own works were the last to write it.
struct RecordKnowledge: Sendable {
    /// The generation after all works under way; nil where it is not known.
    private(set) var generation: UInt32?
    /// The number of the process's last work that was done; nil where that is not known.
    private(set) var lastSequence: Int64?
    /// The ready jobs that no work under way takes.
    var ready: ReadyMirror?
    /// How many writes in a row nobody else came between.
    private var undisturbed = 0
    /// How many there have to be before all ready jobs are read.
    private var calm = 0

    /// The most that is waited for.
    private static let calmMax = 64

    /// Whether it is worth it to learn all ready jobs: nobody else seems to change them.
    var isCalm: Bool { undisturbed >= calm }

    /// The ready jobs were read, and the record had this generation.
    mutating func noteRead(_ found: UInt32, _ jobs: [ReadyMirror.Job]) {
        forget()
        generation = found
        ready = ReadyMirror(jobs)
    }

    /// A work is sent; returns the generation after it, where it is known.
    mutating func noteSent() -> UInt32? {
        generation = generation.map(Self.next)
        return generation
    }

    /// A work was answered.
    ///
    /// - Parameters:
    ///   - sequence: its number.
    ///   - found: the generation after it.
    ///   - expected: what it would be if nobody else wrote; nil where that was not known.
    ///   - behind: how many works are under way behind it.
    /// - Returns: the generations after those.
    mutating func noteAnswered(_ sequence: Int64, _ found: UInt32, expected: UInt32?, behind: Int) -> [UInt32] {
        if expected == found {
            undisturbed += 1
            if undisturbed > 4 * calm { calm /= 2 }
        } else if expected != nil {
            noteDisturbed()
        }
        var generations: [UInt32] = []
        var last = found
        for _ in 0..<behind {
            last = Self.next(last)
            generations.append(last)
        }
        generation = last
        lastSequence = sequence
        return generations
    }

    /// Somebody else wrote.
    mutating func noteDisturbed() {
        forget()
        calm = min(Self.calmMax, max(1, calm * 2))
    }

    /// Nothing is known any more.
    mutating func forget() {
        generation = nil
        lastSequence = nil
        ready = nil
        undisturbed = 0
    }

    /// 0 means that there is no record (aerospike-server 8.1, base/record_ce.c).
    private static func next(_ generation: UInt32) -> UInt32 { generation >= 0xffff ? 1 : generation + 1 }
}

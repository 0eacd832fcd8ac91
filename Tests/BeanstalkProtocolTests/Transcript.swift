import BeanspikeCore
import BeanstalkProtocol

/// A parser fed piece by piece, and what came of it as text: one line a command or outcome, in their order.
struct Transcript {
    private var parser: BeanstalkParser
    private var batch = ParsedCommands()
    private var waiting: [UInt8] = []
    private(set) var lines: [String] = []
    /// The most bytes that were ever left over.
    private(set) var leftMax = 0
    private(set) var counts = CommandCounts()

    init(bodyBytesMax: Int = 20) { parser = BeanstalkParser(bodyBytesMax: bodyBytesMax) }

    /// Feeds one piece.
    mutating func feed(_ piece: some Sequence<UInt8>, isDraining: Bool = false) {
        waiting.append(contentsOf: piece)
        batch.removeAll()
        var parser = self.parser
        var batch = self.batch
        let (consumed, new) = waiting.withUnsafeBytes { bytes in
            let consumed = parser.parse(bytes, isDraining: isDraining, into: &batch)
            return (consumed, Transcript.text(of: batch, bytes))
        }
        self.parser = parser
        self.batch = batch
        counts.take(&self.batch.counts)
        waiting.removeFirst(consumed)
        leftMax = max(leftMax, waiting.count)
        lines += new
    }

    /// The lines for input that comes at once.
    static func of(_ input: String, isDraining: Bool = false) -> [String] {
        var transcript = Transcript()
        transcript.feed(input.utf8, isDraining: isDraining)
        return transcript.lines
    }

    private static func text(of batch: ParsedCommands, _ bytes: UnsafeRawBufferPointer) -> [String] {
        var result: [String] = []
        var locals = batch.locals[...]
        for (index, command) in batch.commands.enumerated() {
            while let local = locals.first, local.position == index {
                result.append("!\(local.outcome)")
                locals.removeFirst()
            }
            result.append(text(of: command, bytes))
        }
        return result + locals.map { "!\($0.outcome)" }
    }

    private static func text(of command: Command, _ bytes: UnsafeRawBufferPointer) -> String {
        switch command {
        case .put(let priority, let delay, let ttr, let body, _):
            let text = String(decoding: bytes[body.offset..<(body.offset + body.count)], as: UTF8.self)
            return "put \(priority) \(delay) \(ttr) \(text)"
        case .reserve(.none): return "reserve now"
        case .reserve(.forever): return "reserve"
        case .reserve(.microseconds(let count)): return "reserve \(count)"
        case .reserveJob(let id): return "reserve-job \(id)"
        case .delete(let id): return "delete \(id)"
        case .release(let id, let priority, let delay, let isRetry):
            return "release \(id) \(priority) \(delay) \(isRetry)"
        case .bury(let id, let priority, let reason): return "bury \(id) \(priority) \(reason)"
        case .touch(let id): return "touch \(id)"
        case .update(let id, let body, _): return "update \(id) \(body.count)"
        case .kick(let count): return "kick \(count)"
        case .kickJob(let id): return "kick-job \(id)"
        case .peek(let id): return "peek \(id)"
        case .peekNext(let state): return "peek-\(state.word)"
        case .use(let name): return "use \(name)"
        case .watch(let name): return "watch \(name)"
        case .ignore(let name): return "ignore \(name)"
        case .pause(let name, let seconds): return "pause \(name) \(seconds)"
        case .truncate(let name): return "truncate \(name)"
        case .jobStatistics(let id): return "stats-job \(id)"
        case .tubeStatistics(let name): return "stats-tube \(name)"
        case .storeStatistics: return "stats"
        case .tubes: return "list-tubes"
        case .tubeUsed: return "list-tube-used"
        case .tubesWatched: return "list-tubes-watched"
        }
    }
}

/// A generator that gives the same numbers for the same seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

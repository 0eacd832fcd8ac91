/// The ids that jobs really have, where a transcript's are only names.
///
/// A transcript calls the first job 1, the second 2, and so on. On a cluster each tube takes its ids from ranges of its
/// own, so there the id that an `INSERTED` brings stands for the transcript's from then on.
struct TranscriptIDs {
    private var real: [String: String] = [:]

    private static let commands: Set<String> = [
        "delete", "release", "bury", "touch", "peek", "reserve-job", "kick-job", "stats-job",
    ]

    /// What is sent, with the ids of jobs that are known.
    func translate(sent bytes: [UInt8]) -> [UInt8] {
        let words = bytes.split(separator: UInt8(ascii: " "), maxSplits: 1, omittingEmptySubsequences: true)
        guard words.count == 2, Self.commands.contains(String(decoding: words[0], as: UTF8.self)) else { return bytes }
        let digits = words[1].prefix { (48...57).contains($0) }
        guard let number = UInt64(String(decoding: digits, as: UTF8.self)), let id = real["\(number)"] else {
            return bytes
        }
        return words[0] + [UInt8(ascii: " ")] + Array(id.utf8) + words[1].dropFirst(digits.count)
    }

    /// What is expected, with the ids of jobs that are known; the id of a new one is taken from what was read.
    ///
    /// - Throws: where a new job has the id of another.
    mutating func translate(expected pattern: String, read line: [UInt8]) throws -> String {
        for prefix in ["INSERTED ", "RESERVED ", "FOUND ", "id: "] where pattern.hasPrefix(prefix) {
            let rest = pattern.dropFirst(prefix.count)
            let name = String(rest.prefix { $0.isNumber })
            guard !name.isEmpty else { return pattern }
            if prefix == "INSERTED ", real[name] == nil {
                let id = String(decoding: line.dropFirst(prefix.utf8.count), as: UTF8.self)
                // Anything else does not match what is expected, and is told there.
                guard let number = UInt64(id), number > 0, number < 1 << 53 else { return pattern }
                guard !real.values.contains(id) else { throw TestFailure("two jobs have the id \(id)") }
                real[name] = id
            }
            return prefix + (real[name] ?? name) + rest.dropFirst(name.count)
        }
        return pattern
    }
}

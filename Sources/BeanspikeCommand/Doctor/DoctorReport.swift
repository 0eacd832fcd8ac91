import Beanspike
import BeanspikeCore

/// What `beanspike doctor` prints of an examination.
struct DoctorReport {
    let location: StoreLocation
    let examination: StoreExamination

    /// For people; of what is fine one line each, unless more is asked for.
    func lines(isVerbose: Bool) -> [String] {
        var lines = ["\(location)", "  \(examination.promise)", ""]
        let width = examination.findings.map(\.subject.count).max() ?? 0
        for finding in examination.findings {
            let subject = finding.subject + String(repeating: " ", count: width - finding.subject.count)
            lines.append("\(Self.mark(finding.level)) \(subject)  \(finding.state)")
            guard finding.level > .fine || isVerbose else { continue }
            lines.append("          \(finding.meaning)")
            if let remedy = finding.remedy { lines += Self.lines(remedy) }
        }
        return lines + ["", summary]
    }

    /// For programs: what was looked at, an object each, and last what it comes to.
    var json: [JSONValue] {
        let findings = examination.findings.map { finding in
            JSONValue.object([
                ("level", .string(finding.level.rawValue)), ("subject", .string(finding.subject)),
                ("state", .string(finding.state)), ("meaning", .string(finding.meaning)),
                ("remedy", finding.remedy.map(Self.json) ?? .null),
            ])
        }
        let end = JSONValue.object([
            ("store", .string("\(location)")), ("level", .string(examination.level.rawValue)),
            ("promise", .string(examination.promise)),
        ])
        return findings + [end]
    }

    private var summary: String {
        let count = { level in examination.findings.count { $0.level == level } }
        let warnings = count(.warning)
        return "\(count(.refused)) refused, \(warnings) warning\(warnings == 1 ? "" : "s"), \(count(.fine)) fine"
    }

    private static func mark(_ level: StoreFinding.Level) -> String {
        switch level {
        case .fine: "fine     "
        case .warning: "WARNING  "
        case .refused: "REFUSED  "
        }
    }

    private static func lines(_ remedy: StoreFinding.Remedy) -> [String] {
        var lines = ["          \(remedy.advice)"]
        lines += remedy.commands.map { "            $ \($0)" }
        if !remedy.alternatives.isEmpty {
            lines.append("            or, node by node:")
            lines += remedy.alternatives.map { "            $ \($0)" }
        }
        if !remedy.configuration.isEmpty {
            lines.append("            in aerospike.conf:")
            lines += remedy.configuration.map { "              \($0)" }
        }
        return lines
    }

    private static func json(_ remedy: StoreFinding.Remedy) -> JSONValue {
        .object([
            ("advice", .string(remedy.advice)), ("commands", .array(remedy.commands.map { .string($0) })),
            ("alternatives", .array(remedy.alternatives.map { .string($0) })),
            ("configuration", .array(remedy.configuration.map { .string($0) })),
        ])
    }
}

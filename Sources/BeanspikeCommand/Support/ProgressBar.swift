import Glibc

/// A bar on standard error that tells how far a long command is; silent where nobody sees it.
struct ProgressBar {
    private let isShown: Bool
    private let cells = 30

    /// A bar; it is shown when standard error is a terminal.
    init(isWanted: Bool) { isShown = isWanted && isatty(STDERR_FILENO) == 1 }

    /// Draws the bar over the one before.
    func show(_ label: String, done: Int, of total: Int) {
        guard isShown else { return }
        Output.noteText("\r\u{1B}[K" + Self.text(label, done: done, of: total, cells: cells))
    }

    /// Takes the bar away.
    func clear() {
        if isShown { Output.noteText("\r\u{1B}[K") }
    }

    static func text(_ label: String, done: Int, of total: Int, cells: Int) -> String {
        let share = total > 0 ? min(1, max(0, Double(done) / Double(total))) : 0
        let filled = Int(share * Double(cells))
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: cells - filled)
        return "\(bar) \(Format.fixed(share * 100, digits: 0)) %  \(label)"
    }
}

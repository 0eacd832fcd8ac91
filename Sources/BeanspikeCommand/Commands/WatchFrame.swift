/// One picture of the tubes, as lines.
enum WatchFrame {
    private static let columns: [(title: String, key: String)] = [
        ("ready", "current-jobs-ready"), ("urgent", "current-jobs-urgent"), ("reserved", "current-jobs-reserved"),
        ("delayed", "current-jobs-delayed"), ("buried", "current-jobs-buried"), ("waiting", "current-waiting"),
    ]

    /// The table's rows, with rates where there is an earlier picture to count from.
    static func rows(_ tubes: [StatisticsTable], previous: (tubes: [StatisticsTable], seconds: Double)?) -> [[String]] {
        var title = ["tube"] + columns.map(\.title)
        if previous != nil { title += ["put/s", "deleted/s"] }
        return [title]
            + tubes.map { tube in
                var name = tube["name"] ?? ""
                if let left = tube.number("pause-time-left"), left > 0 { name += " (paused \(left) s)" }
                var row = [name] + columns.map { tube.number($0.key).map { Format.grouped($0) } ?? "-" }
                if let previous {
                    let before = previous.tubes.first { $0["name"] == tube["name"] }
                    for key in ["total-jobs", "cmd-delete"] {
                        let now = tube.number(key) ?? 0
                        let then = before?.number(key) ?? now
                        // A tube that went and came again counts from 0.
                        let rate = now >= then && previous.seconds > 0 ? Double(now - then) / previous.seconds : 0
                        row.append(Format.grouped(rate))
                    }
                }
                return row
            }
    }

    /// A screen of so many columns and rows: a headline, and as many tubes as fit, the busiest first.
    static func screen(
        _ now: TubesSnapshot,
        previous: TubesSnapshot?,
        server: String,
        columns: Int,
        rows: Int
    ) -> [String] {
        let seconds = previous.map { Double(now.takenAt - $0.takenAt) / 1e9 } ?? 0
        let room = max(1, rows - 4)
        let sorted = now.tubes.sorted { (jobs($0), $1["name"] ?? "") > (jobs($1), $0["name"] ?? "") }
        let shown = Array(sorted.prefix(room))
        let hidden = sorted.count - shown.count
        var lines = ["beanspike watch  \(server)  \(now.tubes.count) tubes   q ends", ""]
        lines += Format.table(Self.rows(shown, previous: (previous?.tubes ?? [], seconds)), indent: 0)
        if hidden > 0 { lines.append("... and \(hidden) more with fewer jobs") }
        return lines.prefix(max(1, rows)).map { String($0.prefix(max(1, columns))) }
    }

    private static func jobs(_ tube: StatisticsTable) -> UInt64 {
        ["ready", "reserved", "delayed", "buried"].reduce(0) { $0 + (tube.number("current-jobs-\($1)") ?? 0) }
    }
}

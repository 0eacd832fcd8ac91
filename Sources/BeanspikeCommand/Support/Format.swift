/// Numbers as people read them.
enum Format {
    /// 1234567 as `1,234,567`.
    static func grouped(_ value: UInt64) -> String {
        let digits = Array(String(value))
        var out = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { out.append(",") }
            out.append(digit)
        }
        return out
    }

    /// A rate or a count, rounded and grouped.
    static func grouped(_ value: Double) -> String { grouped(UInt64(max(0, value.rounded()))) }

    /// With so many digits after the point.
    static func fixed(_ value: Double, digits: Int) -> String {
        guard value.isFinite else { return "-" }
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let scaled = Int64((abs(value) * scale).rounded())
        let sign = value < 0 && scaled != 0 ? "-" : ""
        guard digits > 0 else { return sign + String(scaled) }
        let text = String(scaled)
        let padded = String(repeating: "0", count: max(0, digits + 1 - text.count)) + text
        return sign + padded.dropLast(digits) + "." + padded.suffix(digits)
    }

    /// Nanoseconds as `850 ns`, `12.3 µs`, `4.56 ms` or `1.20 s`.
    static func duration(nanoseconds: UInt64) -> String {
        let value = Double(nanoseconds)
        return switch nanoseconds {
        case ..<1_000: "\(nanoseconds) ns"
        case ..<1_000_000: "\(fixed(value / 1e3, digits: 1)) µs"
        case ..<1_000_000_000: "\(fixed(value / 1e6, digits: 2)) ms"
        default: "\(fixed(value / 1e9, digits: 2)) s"
        }
    }

    /// Rows of columns, the first flush left and the others flush right.
    static func table(_ rows: [[String]], indent: Int = 2, gap: Int = 3) -> [String] {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
        return rows.map { row in
            var line = String(repeating: " ", count: indent)
            for (column, cell) in row.enumerated() {
                let fill = String(repeating: " ", count: widths[column] - cell.count)
                if column > 0 { line += String(repeating: " ", count: gap) }
                line += column == 0 ? cell + fill : fill + cell
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    /// The middle of the values, nil of none.
    static func median(_ values: [Double]) -> Double? {
        let sorted = values.sorted()
        guard let last = sorted.last else { return nil }
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : middle > 0 ? (sorted[middle - 1] + sorted[middle]) / 2 : last
    }
}

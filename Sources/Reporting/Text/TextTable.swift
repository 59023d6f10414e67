/// Columns that line up, whatever the script of their words.
package struct TextTable {
    package struct Column {
        var title: String
        var isNumber: Bool
        /// Whether it is dropped when no row has anything but 0 or nothing in it.
        var isOptional: Bool

        static func words(_ title: String, optional: Bool = false) -> Column {
            Column(title: title, isNumber: false, isOptional: optional)
        }

        static func number(_ title: String, optional: Bool = false) -> Column {
            Column(title: title, isNumber: true, isOptional: optional)
        }
    }

    private let columns: [Column]
    private let rows: [[String]]

    init(_ columns: [Column], _ rows: [[String]]) {
        let rows = rows.map { $0.map(\.printable) }
        let kept = columns.indices.filter { index in
            !columns[index].isOptional || rows.contains { !["0", ""].contains($0[index]) }
        }
        self.columns = kept.map { columns[$0] }
        self.rows = rows.map { row in kept.map { row[$0] } }
    }

    /// The lines; where they would be wider than `width`, the widest column of words gives way.
    func lines(width: Int?, style: TextStyle) -> [String] {
        var widths = columns.indices.map { index in
            rows.reduce(columns[index].title.displayWidth) { max($0, $1[index].displayWidth) }
        }
        let total = widths.reduce(0, +) + 2 * max(0, widths.count - 1)
        let words = widths.indices.filter { !columns[$0].isNumber }
        if let width, total > width, let widest = words.max(by: { widths[$0] < widths[$1] }) {
            widths[widest] = max(8, widths[widest] - (total - width))
        }
        return [style.strong(line(columns.map(\.title), widths))] + rows.map { line($0, widths) }
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        let padded = cells.indices.map { index in
            cells[index].fitted(to: widths[index]).padded(to: widths[index], leading: columns[index].isNumber)
        }
        let line = padded.joined(separator: "  ")
        return String(line[...(line.lastIndex { $0 != " " } ?? line.startIndex)])
    }
}

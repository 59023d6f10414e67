/// The lines at the bottom of a terminal that are drawn again and again, in place.
///
/// The cursor is never hidden and always stands on the line after the region, so that a process that is killed leaves
/// a usable terminal behind. Sequences are those of ECMA-48 and DEC mode 7 (auto-wrap).
package struct LiveRegion: Sendable {
    private var widths: [Int] = []

    package init() {}

    /// What to write so that `lines` stand where the region stood, below `log`, which scrolls away above it.
    ///
    /// - Parameter columns: the terminal's present width. A terminal that became narrower has folded the old lines, so
    ///   they are counted as the rows that they fill now.
    package mutating func redrawing(_ lines: [String], log: [String] = [], columns: Int) -> String {
        let up = widths.reduce(0) { $0 + max(1, ($1 + columns - 1) / max(1, columns)) }
        var text = up > 0 ? "\u{1B}[\(up)F\u{1B}[J" : ""
        for line in log { text += line + "\n" }
        if !lines.isEmpty {
            text += "\u{1B}[?7l" + lines.map { $0 + "\n" }.joined() + "\u{1B}[?7h"
        }
        widths = lines.map(Self.width)
        return text
    }

    /// Display width without colour sequences.
    private static func width(_ line: String) -> Int {
        line.replacing(/\u{1B}\[[0-9;?]*[A-Za-z]/, with: "").displayWidth
    }
}

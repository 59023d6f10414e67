import RunbookModel

extension Progress {
    /// The backfills under way, together: `backfills: 120000 rows, 45000 rows/s, 40 s left`.
    var backfills: [String] {
        let under = flights.compactMap(\.batch)
        guard !under.isEmpty else { return [] }
        var words = ["backfills: " + Phrase.counted(under.reduce(0) { $0 + $1.rows }, "row")]
        let rate = under.compactMap(\.rate).reduce(0, +)
        if rate >= 1 { words.append("\(Int(rate.rounded())) rows/s") }
        if let left = under.compactMap(\.remainingMS).max() {
            words.append(Phrase.duration(milliseconds: left) + " left")
        }
        return words
    }
}

extension BatchProgress {
    /// `120000 of 400000 rows (30 %), batches of 2500, 12 s left`.
    var words: [String] {
        if let waitingFor { return ["\(Phrase.counted(rows, "row")), waits for \(waitingFor)"] }
        var words: [String] = []
        if let total, total >= rows, total > 0 {
            words.append("\(rows) of \(Phrase.counted(total, "row")) (\(rows * 100 / total) %)")
        } else {
            words.append(Phrase.counted(rows, "row"))
        }
        words.append("batches of \(size)")
        if let remainingMS { words.append(Phrase.duration(milliseconds: remainingMS) + " left") }
        return words
    }
}

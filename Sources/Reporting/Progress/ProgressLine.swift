import RunbookModel

extension Progress {
    /// One plain line: `412/1000 tenants, 2 failed, 118/s, 5 s left`.
    package func line(at time: Duration) -> String {
        (["\(counts.processed)/\(tenants) \(tenants == 1 ? "tenant" : "tenants")"] + troubles + pace(at: time)
            + backfills).joined(separator: ", ")
    }

    /// What did not go well, in words: `2 failed`, `1 unknown`.
    var troubles: [String] {
        [(counts.failed, "failed"), (counts.unknown, "unknown"), (counts.blocked, "blocked")]
            .filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    }

    func pace(at time: Duration) -> [String] {
        var words: [String] = []
        if let rate = rate(at: time) { words.append(Self.spoken(rate)) }
        if let left = secondsLeft(at: time) { words.append(Phrase.duration(seconds: left) + " left") }
        return words
    }

    private static func spoken(_ rate: Double) -> String {
        switch rate {
        case 10...: return "\(Int(rate.rounded()))/s"
        case 0.95..<10:
            let tenths = Int((rate * 10).rounded())
            return "\(tenths / 10).\(tenths % 10)/s"
        default: return "\(max(1, Int((rate * 60).rounded())))/min"
        }
    }
}

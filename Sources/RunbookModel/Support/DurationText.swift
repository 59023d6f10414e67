/// Durations as people write them: `250ms`, `3s`, `5m`, `1h30m`, `90d`.
package enum DurationText {
    /// Largest first, in milliseconds. `ms` is matched before `m` and `s`, because it is longer.
    private static let units: [(name: String, milliseconds: Int64)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
    ]

    /// The duration that a text spells: whole numbers with units, largest unit first, each unit once.
    ///
    /// - Returns: nil when the text is none, or is longer than 10,000 days.
    package static func parse(_ text: String) -> Duration? {
        var rest = text.utf8[...]
        var total: Int64 = 0
        var smallest = units.startIndex
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
            rest = rest.dropFirst(digits.count)
            let letters = rest.prefix { UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 }
            rest = rest.dropFirst(letters.count)
            guard digits.count <= 15, let count = Int64(Substring(digits)) else { return nil }
            guard let unit = units[smallest...].firstIndex(where: { $0.name.utf8.elementsEqual(letters) }) else {
                return nil
            }
            let (part, tooLong) = count.multipliedReportingOverflow(by: units[unit].milliseconds)
            guard !tooLong, part <= longest - total else { return nil }
            total += part
            smallest = unit + 1
        }
        return .milliseconds(total)
    }

    private static let longest: Int64 = 10_000 * 86_400_000

    /// The text that `parse` reads back, to the millisecond; smaller parts are cut off.
    package static func text(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        var rest = seconds.magnitude.multipliedReportingOverflow(by: 1000).partialValue
        rest += (attoseconds / 1_000_000_000_000_000).magnitude
        guard rest > 0 else { return "0s" }
        var text = duration < .zero ? "-" : ""
        for unit in units {
            let (count, left) = rest.quotientAndRemainder(dividingBy: UInt64(unit.milliseconds))
            if count > 0 { text += "\(count)\(unit.name)" }
            rest = left
        }
        return text
    }
}

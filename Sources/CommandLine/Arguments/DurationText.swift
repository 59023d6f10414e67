/// Durations as people write them: `250ms`, `30s`, `5m`, `1h`, `90d`.
package enum DurationText {
    private static let units: [(suffix: String, length: Duration)] = [
        ("ms", .milliseconds(1)), ("s", .seconds(1)), ("m", .seconds(60)), ("h", .seconds(3600)),
        ("d", .seconds(86400)),
    ]

    /// nil when the text is no duration; a number needs its unit, except 0.
    package static func duration(_ text: String) -> Duration? {
        if text == "0" { return .zero }
        let number = text.prefix { $0.isASCII && $0.isNumber }
        guard let count = Int32(number), let unit = units.first(where: { $0.suffix == text.dropFirst(number.count) })
        else { return nil }
        return unit.length * Int(count)
    }
}

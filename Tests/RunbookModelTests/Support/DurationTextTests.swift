import RunbookModel
import Testing

struct DurationTextTests {
    @Test(arguments: [
        ("0s", 0), ("250ms", 250), ("3s", 3000), ("5m", 300_000), ("1h", 3_600_000), ("1h30m", 5_400_000),
        ("90d", 7_776_000_000), ("1d2h3m4s5ms", 93_784_005), ("1m500ms", 60_500), ("90m", 5_400_000), ("007s", 7000),
        ("10000d", 864_000_000_000),
    ])
    func reads(text: String, milliseconds: Int64) {
        #expect(DurationText.parse(text) == .milliseconds(milliseconds))
    }

    @Test(arguments: [
        "", "5", "m", "5 m", " 5m", "5m ", "-5m", "+5m", "1.5h", "5M", "5min", "30m1h", "1m1m", "1ms1s", "5m3",
        "1h 30m",
        "none", "9999999999999999s", "99999999999999999999d", "10001d", "10000d1ms", "\u{665}s", "5\u{B5}s", "1h\0",
    ])
    func refuses(text: String) {
        #expect(DurationText.parse(text) == nil)
    }

    @Test(arguments: [
        (Duration.zero, "0s"), (.milliseconds(250), "250ms"), (.seconds(90), "1m30s"), (.seconds(5400), "1h30m"),
        (.seconds(90 * 86_400), "90d"), (.milliseconds(-1500), "-1s500ms"), (.nanoseconds(1_999_999), "1ms"),
        (.nanoseconds(10), "0s"),
    ])
    func prints(duration: Duration, text: String) {
        #expect(DurationText.text(duration) == text)
    }

    /// What is printed is read back as the same duration.
    @Test func printedDurationsAreReadBack() {
        for milliseconds in stride(from: Int64(0), to: 864_000_000_000, by: 863_999_993) {
            let duration = Duration.milliseconds(milliseconds)
            #expect(DurationText.parse(DurationText.text(duration)) == duration)
        }
    }
}

import Reporting
import Testing

@Suite struct TextTests {
    /// Guarantee: nothing that a terminal obeys or a reader cannot see is printed raw.
    @Test(arguments: [
        ("acme", "acme"), ("a\nb", "a\\nb"), ("\u{1B}[2J", "\\u{1b}[2J"), ("\u{202E}evil", "\\u{202e}evil"),
        ("tab\there", "tab\\there"), ("日本 👩‍👩‍👧", "日本 👩‍👩‍👧"), ("\u{9B}", "\\u{9b}"), ("\u{2028}", "\\u{2028}"),
    ])
    func controlCharactersAreSpelledOut(_ text: String, _ expected: String) {
        #expect(text.printable == expected)
    }

    /// Guarantee: widths are those of terminals: wide scripts and pictures take two columns, marks none.
    @Test(arguments: [
        ("", 0), ("abc", 3), ("日本", 4), ("é", 1), ("e\u{301}", 1), ("👍🏽", 2), ("☎\u{FE0F}", 2), ("ｱ", 1), ("한", 2),
    ])
    func widthIsThatOfTerminals(_ text: String, _ width: Int) {
        #expect(text.displayWidth == width)
    }

    /// Guarantee: a fitted text is never wider than asked for.
    @Test(arguments: ["", "a", "abcdef", "日本語テスト", "a日b本c", "👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧"], [0, 1, 2, 3, 5, 80])
    func fittedTextFits(_ text: String, _ columns: Int) {
        let fitted = text.fitted(to: columns)
        #expect(fitted.displayWidth <= columns)
        #expect(text.displayWidth > columns || fitted == text)
    }

    /// Guarantee: durations are said with the unit that fits.
    @Test(arguments: [
        (0, "0 ms"), (812, "812 ms"), (999, "999 ms"), (1000, "1.0 s"), (5120, "5.1 s"), (59_949, "59.9 s"),
        (59_950, "1 min"), (192_000, "3 min 12 s"), (7_500_000, "2 h 5 min"), (7_200_000, "2 h"),
    ])
    func durationsAreSaid(_ milliseconds: Int, _ text: String) {
        #expect(Phrase.duration(milliseconds: milliseconds) == text)
    }

    /// Guarantee: lists of names end, and say how many are left out.
    @Test func namesAreListed() {
        #expect(Phrase.names([String]()) == "")
        #expect(Phrase.names(["a"]) == "a")
        #expect(Phrase.names(["a", "b"]) == "a and b")
        #expect(Phrase.names(["a", "b", "c"], total: 9) == "a, b, c and 6 more")
        #expect(Phrase.names(["a", "b", "c"], limit: 2) == "a, b and 1 more")
    }
}

import Groundwork
import Testing

struct LiteralSearchTests {
    @Test(arguments: [
        ("abc", "b", "a*c"), ("aaaa", "aa", "**"), ("abab", "ba", "a*b"), ("abc", "abcd", "abc"), ("", "a", ""),
        ("abc", "", "abc"), ("aab", "ab", "a*"), ("é", "é", "*"),
        // A secret that a combining mark follows is a secret all the same.
        ("secret\u{301}", "secret", "*\u{301}"),
    ])
    func everyPlaceIsReplacedByteForByte(_ text: String, _ searched: String, _ expected: String) {
        #expect(Array(text.replacingPlaces(of: searched, with: "*").utf8) == Array(expected.utf8))
    }

    @Test func aPlaceIsFoundInASubstringToo() throws {
        let text = "xx-secret-secret"
        let rest = text.dropFirst(5)
        let place = try #require(rest.firstPlace(of: "secret"))
        #expect(text[..<place.lowerBound] == "xx-secret-")
        #expect(rest.firstPlace(of: "xx") == nil)
    }
}

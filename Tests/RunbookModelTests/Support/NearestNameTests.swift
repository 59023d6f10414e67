import RunbookModel
import Testing

struct NearestNameTests {
    @Test(arguments: [
        ("pre-depoy", ["pre-deploy", "post-deploy"], "pre-deploy"), ("phse", ["phase", "pause"], "phase"),
        ("urL", ["url", "sql"], "url"), ("id", ["ids", "di"], "ids"), ("tenant", ["tenants"], "tenants"),
        ("aftre", ["after"], "after"), ("x", ["y"], "y"),
    ])
    func suggestsWhatIsOneSlipAway(name: String, candidates: [String], nearest: String) {
        #expect(NearestName.of(name, in: candidates) == nearest)
    }

    @Test(arguments: [
        ("zebra", ["phase", "after"]), ("", ["a"]), ("phase", []), ("sql", ["exec"]), ("same", ["same"]),
    ])
    func keepsSilentWhenNothingIsNear(name: String, candidates: [String]) {
        #expect(NearestName.of(name, in: candidates) == nil)
    }

    @Test(arguments: [
        ("", "", 0), ("", "abc", 3), ("abc", "", 3), ("abc", "abc", 0), ("abc", "acb", 1), ("kitten", "sitting", 3),
        ("ca", "abc", 3), ("a\u{308}", "a", 1),
    ])
    func countsEdits(left: String, right: String, distance: Int) {
        #expect(NearestName.distance(left, right) == distance)
        #expect(NearestName.distance(right, left) == distance)
    }

    /// A text of hostile length costs nothing.
    @Test func doesNotCompareLongTexts() {
        #expect(NearestName.of(String(repeating: "a", count: 1_000_000), in: ["a"]) == nil)
    }
}

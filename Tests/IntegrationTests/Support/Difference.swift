import TestSupport
import Testing

/// Demands that two long texts are equal, and shows the first place where they part; `#expect` would print all of both.
func expectSame(_ found: String, _ expected: String, _ what: String, sourceLocation: SourceLocation = #_sourceLocation)
{
    guard found != expected else { return }
    let (found, expected) = (found.split(separator: "\n"), expected.split(separator: "\n"))
    let place = zip(found, expected).enumerated().first { $1.0 != $1.1 }?.offset ?? min(found.count, expected.count)
    func excerpt(_ lines: [Substring]) -> String {
        lines[max(0, place - 2)..<min(lines.count, place + 3)].joined(separator: "\n")
    }
    Issue.record(
        """
        \(what): line \(place + 1) of \(found.count), expected \(expected.count)
        found:
        \(excerpt(found))
        expected:
        \(excerpt(expected))
        """, sourceLocation: sourceLocation)
}

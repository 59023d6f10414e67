package import FoundationEssentials

extension Date {
    /// For people: `2026-01-31 12:00:05 UTC`.
    package var readable: String { rfc3339.dropLast(5).replacing("T", with: " ") + " UTC" }
}

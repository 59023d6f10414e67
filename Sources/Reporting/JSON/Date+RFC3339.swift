package import FoundationEssentials

extension Date {
    /// RFC 3339 in UTC with milliseconds: `2026-01-31T12:00:00.250Z`.
    package var rfc3339: String {
        let milliseconds = (timeIntervalSince1970 * 1000).rounded()
        let seconds = (milliseconds / 1000).rounded(.down)
        let fraction = Int(milliseconds - seconds * 1000)
        let whole = Date(timeIntervalSince1970: seconds).formatted(.iso8601).dropLast()
        return "\(whole).\(fraction < 10 ? "00" : fraction < 100 ? "0" : "")\(fraction)Z"
    }
}

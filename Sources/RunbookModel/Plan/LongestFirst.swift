/// In which order tenants begin: a long one that begins last keeps everybody waiting at the end.
package enum LongestFirst {
    /// Who takes less than this keeps the order of the source: to begin earlier would gain nothing, and tenants that
    /// share a connection stand side by side there.
    package static let shortest = 100

    /// - Parameters:
    ///   - places: in the order of the source.
    ///   - durations: how long places took last, in milliseconds, as far as they are long.
    /// - Returns: the long ones, longest first, then the others as they stand.
    package static func order(_ places: [Int], durations: [Int: Int]) -> [Int] {
        guard !durations.isEmpty else { return places }
        let long = places.filter { durations[$0, default: 0] >= shortest }
            .sorted { (durations[$1, default: 0], $0) < (durations[$0, default: 0], $1) }
        return long + places.filter { durations[$0, default: 0] < shortest }
    }
}

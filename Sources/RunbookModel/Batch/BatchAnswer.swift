/// What a batch's statement answered.
package enum BatchAnswer: Sendable, Hashable {
    /// It went on: the rows it counts, and where the next one begins; nil: where this one began.
    case moved(rows: Int, cursor: String?)
    /// There was nothing left to do.
    case finished
}

/// Notices when a cursor stands still or comes back to where it was.
///
/// It remembers one earlier cursor and moves that up at doubling distances (Brent's way), so that a circle of any length
/// is found with the memory of one.
package struct CursorWatch: Sendable, Hashable {
    private var remembered: String?
    private var steps = 0
    private var distance = 1

    package init() {}

    /// Whether the cursor has been seen.
    package mutating func hasSeen(_ cursor: String, after previous: String?) -> Bool {
        if cursor == previous || cursor == remembered { return true }
        steps += 1
        if steps >= distance {
            remembered = cursor
            steps = 0
            distance *= 2
        }
        return false
    }
}

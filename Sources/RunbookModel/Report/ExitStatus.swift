/// The only table from outcome to number.
package enum ExitStatus: Int32, Sendable, CaseIterable {
    case done = 0
    case failed = 1
    case pending = 2
    case partial = 3
    case refused = 4
    case undecided = 5
    case usage = 64
    case tryAgain = 75
    case interrupted = 130
    case terminated = 143

    /// Smaller wins when several apply.
    private var precedence: Int {
        switch self {
        case .usage: 0
        case .interrupted, .terminated: 1
        case .refused: 2
        case .undecided: 3
        case .tryAgain: 4
        case .partial: 5
        case .failed: 6
        case .pending: 7
        case .done: 8
        }
    }

    /// The one that counts when several apply.
    package func merged(with other: ExitStatus) -> ExitStatus {
        other.precedence < precedence ? other : self
    }
}

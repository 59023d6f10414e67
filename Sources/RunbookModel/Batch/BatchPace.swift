/// How many rows the next batch takes, from what became of those before it.
///
/// It aims at a duration: grows slowly, cuts at once. A batch whose rows cannot be worked on is halved until one row is
/// left, which is then the one to blame.
package struct BatchPace: Sendable, Hashable {
    /// Rows that the next batch may take.
    package private(set) var size: Int
    /// How many batches were committed.
    package private(set) var committed = 0
    private let target: Duration?
    /// Without a target the size that is returned to.
    private let usual: Int
    /// Among how many of the next rows the one is that cannot be worked on; nil while none is known of.
    private var suspects: Int?

    /// From the first batch behind these on, no batch may hold longer than twice its target.
    package static let freeBatches = 10
    package static let largestSize = 1_000_000

    /// What is done after a batch that was not committed.
    package enum Answer: Sendable, Hashable {
        /// It is tried again, with the size as it is now.
        case tryAgain
        /// It held one row, which is isolated so.
        case giveUp
    }

    package init(size: Int, target: Duration?) {
        self.size = min(max(1, size), Self.largestSize)
        self.target = target
        usual = self.size
    }

    /// When the next batch's statement is to be ended; nil: not by the pace. The first ten are free, since their size is
    /// a guess, and a single row cannot be cut.
    package var limit: Duration? {
        guard let target, committed >= Self.freeBatches, size > 1 else { return nil }
        // What is left up to twice the target is for claim, receipt and commit.
        return target * 3 / 2
    }

    /// Whether the row that fails is being looked for.
    package var isSearching: Bool { suspects != nil }

    /// A batch was committed.
    ///
    /// - Parameters:
    ///   - duration: how long it held.
    ///   - worked: how much of that was its statement's; the rest, claim and commit, no other size would change, and is
    ///     not counted up to half the target.
    ///   - wasFull: whether it had as many rows as it could take; a smaller one says little about time.
    package mutating func succeeded(in duration: Duration, worked: Duration? = nil, wasFull: Bool = true) {
        committed += 1
        if let suspects {
            let left = suspects - size
            self.suspects = left > 0 ? left : nil
            if left > 0 {
                size = max(1, left / 2)
                return
            }
        }
        guard let target else {
            size = min(usual, size * 2)
            return
        }
        let rest = max(.zero, duration - (worked ?? duration))
        let share = (duration - min(rest, target / 2)) / target
        if share > 1 {
            size = max(1, Int(Double(size) * max(0.25, 0.8 / share)))
        } else if share < 0.8, wasFull {
            // At most a quarter more, and never aiming over nine tenths of the target.
            let growth = min(1.25, 0.9 / max(share, 0.01))
            size = min(Self.largestSize, max(size + 1, Int(Double(size) * growth)))
        }
    }

    /// A batch was ended because it took too long.
    package mutating func timedOut() -> Answer { cut(to: size / 3) }

    /// A batch met somebody else's work; with fewer rows that is less likely.
    package mutating func collided() { size = max(1, size / 2) }

    /// A batch holds a row that cannot be worked on.
    package mutating func failed() -> Answer {
        suspects = size
        return cut(to: size / 2)
    }

    private mutating func cut(to smaller: Int) -> Answer {
        guard size > 1 else { return .giveUp }
        size = max(1, smaller)
        return .tryAgain
    }
}

import Synchronization

/// Makes the n-th thing that is asked of any database fail, once.
final class StatementFault: Sendable {
    enum Kind: String, CaseIterable {
        /// The connection breaks, or the file's disk does, before anything is done.
        case lost
        /// It breaks behind it: everything was done, and nobody is told.
        case unanswered
        /// The engine says no, and nothing was done.
        case refused
    }

    let kind: Kind
    private let number: Int
    private let asked = Mutex(0)

    /// - Parameter number: 1 for the first.
    init(_ kind: Kind, at number: Int) {
        self.kind = kind
        self.number = number
    }

    /// Whether it has happened.
    var hasFired: Bool { asked.withLock { $0 >= number } }

    /// Counts one more; the kind when it is the one that fails.
    func next() -> Kind? {
        asked.withLock { asked in
            asked += 1
            return asked == number ? kind : nil
        }
    }
}

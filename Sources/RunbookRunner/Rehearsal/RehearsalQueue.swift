import RunbookModel
import Synchronization

/// Hands out places one at a time, and keeps what was seen in them.
final class RehearsalQueue: Sendable {
    /// What was seen in one place.
    struct Answer: Sendable {
        var tenant: RehearsalReport.RehearsedTenant
        var failures: [Failure]
        var course: RehearsalCourse
        var beside: Duration?
        /// nil for a file, and where it could not be measured.
        var cost: ServerCost?
        var waitsAtEnd: Bool
    }

    private struct State {
        var next = 0
        var answers: [Int: Answer] = [:]
    }

    let count: Int
    private let state = Mutex(State())

    init(count: Int) { self.count = count }

    func next() -> Int? {
        state.withLock { state in
            guard state.next < count else { return nil }
            defer { state.next += 1 }
            return state.next
        }
    }

    func take(_ answer: Answer, at index: Int) -> Int {
        state.withLock { state in
            state.answers[index] = answer
            return state.answers.count
        }
    }

    /// In the order of the places.
    var answers: [Answer] {
        state.withLock { state in (0..<count).compactMap { state.answers[$0] } }
    }
}

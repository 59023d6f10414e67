import RunbookModel
import Synchronization

/// Hands out the places that have something to be asked, and keeps what they answered.
final class PreflightBook: Sendable {
    /// One place, and the runbooks that ask there.
    struct Visit: Sendable {
        var place: Int
        var runbooks: [Runbook]
    }

    private struct State {
        var next = 0
        var answers: [Int: [Identity: PreflightAnswer]] = [:]
        /// Servers that were not to be had, and why: nobody tries each of their tenants.
        var away: [String: String]
    }

    /// Places with their outlook's index.
    private let places: [(place: Int, outlook: Int)]
    /// For each outlook what asks.
    private let runbooks: [[Runbook]]
    private let state: Mutex<State>

    /// - Parameter away: servers that are known to be unreachable.
    init(_ fleet: PlannedFleet, away: [String: String]) {
        let runbooks = fleet.outlooks.map { outlook in
            outlook.steps.filter { $0.decision == .run && $0.runbook.preflight != nil }.map(\.runbook)
        }
        self.runbooks = runbooks
        places =
            runbooks.allSatisfy(\.isEmpty)
            ? [] : fleet.unsettled.filter { !runbooks[$0.outlook].isEmpty }.map { ($0.place, $0.outlook) }
        state = Mutex(State(away: away))
    }

    var count: Int { places.count }

    func next() -> Visit? {
        state.withLock { state in
            guard state.next < places.count else { return nil }
            defer { state.next += 1 }
            return Visit(place: places[state.next].place, runbooks: runbooks[places[state.next].outlook])
        }
    }

    func take(_ answers: [Identity: PreflightAnswer], at place: Int) {
        state.withLock { $0.answers[place] = answers }
    }

    /// Why a server is not to be had; nil while nobody has found that out.
    func isAway(_ server: String) -> String? { state.withLock { $0.away[server] } }

    func setAway(_ server: String, _ reason: String) { state.withLock { $0.away[server] = reason } }

    var answers: [Int: [Identity: PreflightAnswer]] { state.withLock { $0.answers } }
}

import LedgerStore
import RunbookModel
import Synchronization

/// Claimed jobs that workers take without a visit to the desk, each in the place of one that it has just done.
///
/// The desk lays them down while nothing but the next job can come of a visit, and may take them back at any moment. So
/// workers go on while the desk waits for the ledger, and how many tenants are worked on stays the same.
final class JobTray: Sendable {
    private struct State {
        var jobs: ArraySlice<ClaimedJob> = []
        /// Of the jobs that were done, not yet with the desk.
        var results: [JobResult] = []
        var isOpen = false
        /// With this many left, more are to be fetched, once; nil: there are no more, or somebody fetches them.
        var low: Int?
        var assignment: (@Sendable (ClaimedJob) -> Assignment?)?
    }

    private let state = Mutex(State())

    /// Whether work may be taken.
    var isOpen: Bool { state.withLock { $0.isOpen } }

    /// How many jobs lie here.
    var count: Int { state.withLock { $0.jobs.count } }

    /// Lays jobs down behind those that lie here.
    ///
    /// - Parameters:
    ///   - low: with how many left more are to be fetched; nil: there are none.
    ///   - assignment: what is to be done for a job; nil where the desk must see to it.
    func lay(
        _ jobs: [ClaimedJob], low: Int?, assignment: @escaping @Sendable (ClaimedJob) -> Assignment?
    ) {
        state.withLock { state in
            state.jobs += jobs
            state.low = low
            state.assignment = assignment
            state.isOpen = !state.jobs.isEmpty
        }
    }

    /// Takes everything back.
    func clear() -> (jobs: ArraySlice<ClaimedJob>, results: [JobResult]) {
        state.withLock { state in
            defer {
                state.jobs = []
                state.results = []
                state.isOpen = false
            }
            return (state.jobs, state.results)
        }
    }

    /// Takes back what was done.
    func takeResults() -> [JobResult] {
        state.withLock { state in
            defer { state.results = [] }
            return state.results
        }
    }

    /// Gives a result for the next work at the same place of the run.
    ///
    /// - Returns: nil when the desk is to be asked, which then gets the result; with work, whether more is to be fetched.
    func exchange(_ answer: WorkAnswer) -> (assignment: Assignment, isLow: Bool)? {
        guard case .finished(let result) = answer,
            result.state == .succeeded || result.state == .skipped || result.nextStage != nil
        else { return nil }
        // What is to be done is made up outside of the lock: others wait for that.
        let taken = state.withLock { state -> (job: ClaimedJob, make: (ClaimedJob) -> Assignment?, isLow: Bool)? in
            guard state.isOpen, let make = state.assignment, state.jobs.first?.stage == result.job.stage else {
                return nil
            }
            let job = state.jobs.removeFirst()
            guard let low = state.low, state.jobs.count <= low else { return (job, make, false) }
            // Who is told fetches them; the others go on.
            state.low = nil
            return (job, make, true)
        }
        guard let taken else { return nil }
        let assignment = taken.make(taken.job)
        return state.withLock { state in
            guard let assignment else {
                // For the desk to see to, which comes next.
                state.jobs.insert(taken.job, at: state.jobs.startIndex)
                return nil
            }
            state.results.append(result)
            return (assignment, taken.isLow)
        }
    }
}

/// What a server takes for what a rehearsal does not do.
package struct ServerCost: Sendable, Hashable {
    /// A question without work.
    package var roundTrip: Duration
    /// A commit that has written something, without its round trip.
    package var commit: Duration

    package static let none = ServerCost(roundTrip: .zero, commit: .zero)

    package init(roundTrip: Duration, commit: Duration) {
        self.roundTrip = roundTrip
        self.commit = commit
    }

    /// What the work would take apply.
    ///
    /// An index that is built concurrently is entered in one transaction, and the table is read in two more (PostgreSQL
    /// manual, CREATE INDEX, "Building Indexes Concurrently"). How long it waits for others is not known.
    package func inApply(_ work: RehearsedWork) -> Duration {
        switch work.kind {
        case .notRun: .zero
        case .transaction: work.duration + commit
        case .plainBuild(let build, let statements, let builds, let asksBefore):
            build * 2 + roundTrip * Self.roundTrips(statements, asksBefore: asksBefore)
                + commit * (Self.commitsOfAttempt + Self.commitsOfBuild * builds)
        }
    }

    /// `running` and its end.
    package static let commitsOfAttempt = 2
    package static let commitsOfBuild = 3

    /// Around an attempt outside of a transaction: its lock (4), `running`, invalid indexes before and after, the settings,
    /// the reset, the end, the lock back (2), and the reset again. Beside each statement its time limits are lifted and
    /// set again. What became of an earlier attempt is asked in a transaction (2).
    package static func roundTrips(_ statements: Int, asksBefore: Bool) -> Int {
        13 + 2 * statements + (asksBefore ? 2 : 0)
    }
}

/// A backfill in batches: one statement that is run again and again, each time in a transaction of its own, until it
/// finds nothing more.
package struct BatchWork: Sendable, Hashable {
    /// The script as it stands in its file; it holds one statement.
    package var script: SQLScript
    /// The statement with numbered parameters in the place of the named ones, each padded to the name's length, so that
    /// an error's position is the same in both.
    package var statement: String
    /// What stands behind the numbers.
    package var parameters: [Parameter]
    /// How many rows the first batch takes.
    package var size: Int
    /// How long a batch is meant to take; nil: every batch has the same size.
    package var target: Duration?
    /// Between two batches.
    package var pause: Duration
    /// PostgreSQL: how far a replica may be behind before the next batch waits.
    package var maxLag: Duration?
    /// A query that says whether the next batch waits.
    package var throttle: SQLScript?

    package enum Parameter: String, Sendable, CaseIterable {
        case limit
        case cursor
    }

    package init(
        script: SQLScript, statement: String, parameters: [Parameter], size: Int = 1000,
        target: Duration? = .milliseconds(250), pause: Duration = .zero, maxLag: Duration? = nil,
        throttle: SQLScript? = nil
    ) {
        self.script = script
        self.statement = statement
        self.parameters = parameters
        self.size = size
        self.target = target
        self.pause = pause
        self.maxLag = maxLag
        self.throttle = throttle
    }
}

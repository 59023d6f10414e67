/// How far a backfill has come in one tenant, for people.
package struct BatchProgress: Sendable, Hashable {
    /// In all batches so far, those of earlier attempts among them.
    package var rows: Int
    /// How many rows there are to be, as `preflight` said when this attempt began; nil without one.
    package var total: Int?
    /// Committed by this attempt.
    package var batches: Int
    /// Rows that the next batch may take.
    package var size: Int
    package var cursor: String?
    /// Since this attempt began.
    package var elapsedMS: Int
    /// Rows that stood there when this attempt began.
    package var rowsBefore: Int
    /// Why the next batch is waited with; nil while none is.
    package var waitingFor: String?

    package init(
        rows: Int, total: Int? = nil, batches: Int, size: Int, cursor: String? = nil, elapsedMS: Int,
        rowsBefore: Int = 0, waitingFor: String? = nil
    ) {
        self.rows = rows
        self.total = total
        self.batches = batches
        self.size = size
        self.cursor = cursor
        self.elapsedMS = elapsedMS
        self.rowsBefore = rowsBefore
        self.waitingFor = waitingFor
    }

    /// Rows a second in this attempt; nil until there is something to tell it from.
    package var rate: Double? {
        guard elapsedMS > 0, rows > rowsBefore else { return nil }
        return Double(rows - rowsBefore) * 1000 / Double(elapsedMS)
    }

    /// Milliseconds until the total is reached at the rate so far; nil when either is not known, or the total was wrong.
    package var remainingMS: Int? {
        guard let total, total > rows, let rate else { return nil }
        return Int(Double(total - rows) * 1000 / rate)
    }
}

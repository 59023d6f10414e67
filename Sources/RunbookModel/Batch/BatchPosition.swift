/// How far a backfill has come in one tenant, as its receipt has it.
package struct BatchPosition: Sendable, Hashable {
    /// Where the next batch begins; nil: at the beginning, or the statement knows by itself.
    package var cursor: String?
    /// In all batches so far.
    package var rows: Int

    package init(cursor: String? = nil, rows: Int = 0) {
        self.cursor = cursor
        self.rows = rows
    }
}

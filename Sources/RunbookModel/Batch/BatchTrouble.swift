/// Why a batch was not committed, as far as that decides what is done next.
package enum BatchTrouble: Sendable, Hashable {
    /// It took too long: it is tried again with fewer rows.
    case slow
    /// It met somebody else's work, and may well succeed a moment later.
    case contention
    /// One of its rows may be to blame: it is halved until that row is found.
    case row
    /// No other size would help.
    case statement

    /// Reads a SQLSTATE (PostgreSQL manual, appendix A); nil is what SQLite says of a statement that could be prepared.
    package init(sqlState: String?) {
        guard let sqlState else {
            self = .row
            return
        }
        if sqlState == "57014" {
            self = .slow
        } else if let cause = TransientCause(sqlState: sqlState), !cause.endsConnection {
            self = .contention
        } else if sqlState == "42501" || Self.dataClasses.contains(String(sqlState.prefix(2))) {
            // 42501: row-level security refuses a row.
            self = .row
        } else {
            self = .statement
        }
    }

    /// Cardinality, data, constraints, triggered data change, external routines, WITH CHECK OPTION, PL/pgSQL's RAISE, and
    /// a limit that the size of a row exceeds.
    private static let dataClasses: Set<String> = ["21", "22", "23", "27", "38", "39", "44", "54", "P0"]
}

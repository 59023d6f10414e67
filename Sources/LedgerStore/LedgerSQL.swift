package import DatabaseAccess

/// The names and the fragments of SQL in which the two engines differ.
///
/// Statements are written with `$1`; `text(_:)` turns that into SQLite's `?1`. Everything is schema-qualified, so that
/// no object of a tenant can answer in its place.
package struct LedgerSQL: Sendable {
    package let dialect: DatabaseDialect
    /// PostgreSQL: the schema, quoted.
    package let schema: String

    package init(dialect: DatabaseDialect, schema: String) {
        self.dialect = dialect
        var quoted = "\""
        // By scalars: a quote that a combining mark follows is one Character with it.
        for scalar in schema.unicodeScalars {
            if scalar == "\"" { quoted += "\"" }
            quoted.unicodeScalars.append(scalar)
        }
        self.schema = quoted + "\""
    }

    /// A table, view, sequence or function of the ledger.
    package func name(_ object: String) -> String {
        switch dialect {
        case .postgresql: "\(schema).\(object)"
        case .sqlite: "muster_\(object)"
        }
    }

    var ledger: String { name("ledger") }
    var workspaces: String { name("workspaces") }
    var tenants: String { name("tenants") }
    var identities: String { name("identities") }
    var runs: String { name("runs") }
    var jobs: String { name("jobs") }
    var executions: String { name("executions") }
    var attempts: String { name("attempts") }
    var runners: String { name("runners") }
    var events: String { name("events") }
    var hooks: String { name("hooks") }
    var sets: String { name("sets") }
    var setMembers: String { name("set_members") }
    var sealed: String { name("sealed") }
    /// A view of what is on record, whether in `executions` or in a tenant's set; for questions about one tenant.
    var known: String { name("known") }

    /// The database's clock at the start of the transaction.
    var now: String {
        switch dialect {
        case .postgresql: "pg_catalog.now()"
        case .sqlite: "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
        }
    }

    /// The database's clock at this moment.
    var clock: String {
        switch dialect {
        case .postgresql: "pg_catalog.clock_timestamp()"
        case .sqlite: now
        }
    }

    /// A time so many seconds before this moment.
    func ago(seconds: Int) -> String {
        switch dialect {
        case .postgresql: "pg_catalog.clock_timestamp() - interval '\(seconds) seconds'"
        case .sqlite: "strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-\(seconds) seconds')"
        }
    }

    /// A time so many milliseconds (an expression) before this moment.
    func ago(milliseconds expression: String) -> String {
        switch dialect {
        case .postgresql: "pg_catalog.clock_timestamp() - (\(expression))::float8 * interval '1 millisecond'"
        case .sqlite: "strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-' || ((\(expression)) / 1000.0) || ' seconds')"
        }
    }

    /// A time column as milliseconds since 1970, a whole number.
    func milliseconds(_ column: String) -> String {
        switch dialect {
        case .postgresql: "(extract(epoch from \(column)) * 1000)::bigint"
        case .sqlite: "cast(round((julianday(\(column)) - 2440587.5) * 86400000.0) as integer)"
        }
    }

    /// An aggregate that joins texts with newlines.
    func joined(_ expression: String) -> String {
        switch dialect {
        case .postgresql: "pg_catalog.string_agg(\(expression), E'\\n')"
        case .sqlite: "group_concat(\(expression), char(10))"
        }
    }

    /// The states that never run again, as a list for `in`.
    static let done = "('succeeded', 'baselined')"

    /// The states in which work of a run is that did what it was meant to.
    static let ended = "('succeeded', 'rolled_back')"

    /// Whether anything of what a record tells may have to be undone: all but what was undone, and what failed and left
    /// nothing. Who plans looks closer.
    static func mayNeedUndo(_ state: String, clean: String) -> String {
        "(\(state) in ('succeeded', 'baselined', 'running', 'unknown') or \(state) = 'failed' and \(clean) is not true)"
    }

    /// What opens a transaction that will write.
    package var begin: String {
        switch dialect {
        case .postgresql: "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
        case .sqlite: "BEGIN IMMEDIATE"
        }
    }

    /// What opens a transaction that cannot write.
    package var beginReadOnly: String {
        switch dialect {
        case .postgresql: "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY"
        case .sqlite: "BEGIN"
        }
    }

    /// The same for questions that are to be answered as of one moment.
    var beginSnapshot: String {
        switch dialect {
        case .postgresql: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        case .sqlite: "BEGIN"
        }
    }

    /// Follows the opening of a transaction of Muster's own: no operator and no table of anybody else answers in it.
    var ownPath: [String] {
        switch dialect {
        case .postgresql: ["SET LOCAL search_path = pg_catalog, pg_temp"]
        case .sqlite: []
        }
    }

    /// Follows the opening of a transaction that nobody has to wait for the disk for: should the server break down in that
    /// moment, what it has written is written again by who comes next. What is committed later is never kept without it
    /// (PostgreSQL manual, 30.4).
    var unhurried: [String] {
        switch dialect {
        case .postgresql: [Self.notWaiting]
        case .sqlite: []
        }
    }

    /// The commit of the transaction that says so does not wait for the disk (PostgreSQL).
    package static let notWaiting = "SET LOCAL synchronous_commit = off"

    /// The commit of the transaction that says so waits as its session's do, whatever a script has set (PostgreSQL).
    package static let waitingAsUsual = "SET LOCAL synchronous_commit TO DEFAULT"

    /// A transaction of its own whose commit waits for the disk, and so for all that were committed before (PostgreSQL).
    ///
    /// One that has only taken its number is not waited for; an empty message for logical decoding stands in the
    /// write-ahead log and nowhere else.
    package static let waitForDisk = "SELECT pg_catalog.pg_logical_emit_message(true, 'muster', '')"

    /// What locks the rows that a query answers, for a transaction that decides by them. SQLite has one writer.
    var forUpdate: String { dialect == .postgresql ? "for update" : "" }

    /// That a column is among the texts of a parameter.
    func isAmong(_ column: String, _ parameter: String) -> String {
        switch dialect {
        case .postgresql: "\(column) = any (\(parameter)::text[])"
        case .sqlite: "\(column) in (select value from json_each(\(parameter)))"
        }
    }

    /// Rows from a parameter that holds a JSON array of objects.
    func records(_ columns: [(name: String, type: String)], _ parameter: String) -> String {
        switch dialect {
        case .postgresql:
            let fields = columns.map { "\($0.name) \($0.type)" }.joined(separator: ", ")
            return """
                (select * from pg_catalog.jsonb_to_recordset(\(parameter)::jsonb) as records(\(fields)))
                """
        case .sqlite:
            let fields = columns.map { "json_extract(value, '$.\($0.name)') as \($0.name)" }.joined(separator: ", ")
            return "(select \(fields) from json_each(\(parameter)))"
        }
    }

    /// A join whose sides SQLite keeps in the order given: it knows nothing of the sizes of lists
    /// (sqlite.org/optoverview.html, "Manual Control Of Query Plans Using CROSS JOIN").
    var ordered: String { dialect == .sqlite ? "cross join" : "join" }

    /// A statement with its parameters in the dialect's spelling.
    package func text(_ statement: String) -> String {
        guard dialect == .sqlite else { return statement }
        var out: [UInt8] = []
        out.reserveCapacity(statement.utf8.count)
        for byte in statement.utf8 {
            if let last = out.last, last == UInt8(ascii: "$"), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
                out[out.count - 1] = UInt8(ascii: "?")
            }
            out.append(byte)
        }
        return String(decoding: out, as: UTF8.self)
    }
}

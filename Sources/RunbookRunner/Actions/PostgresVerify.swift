import DatabaseAccess
import FoundationEssentials
import RunbookModel

/// The `verify` query in PostgreSQL.
enum PostgresVerify {
    /// A statement that fails with 22P02 unless the query answers true.
    static func assertion(_ verify: SQLScript) -> String {
        """
        SELECT (CASE WHEN v THEN '1' ELSE pg_catalog.concat('verify answered ', coalesce(v::pg_catalog.text, 'null')) \
        END)::pg_catalog.int4 FROM (SELECT (
        \(verify.statements.first?.text ?? verify.text)
        )::pg_catalog.bool AS v) AS verified;
        """
    }

    static func failure(_ error: DatabaseError, runbook: Runbook, tenant: String, clean: Bool) -> Failure {
        let verify = runbook.verify
        let answer = error.message.components(separatedBy: "verify answered ")
        var failure = Failure(
            tenant: tenant.isEmpty ? nil : tenant, runbook: runbook.id, key: runbook.key, state: "failed",
            clean: clean, sqlstate: error.sqlState, message: error.message, detail: error.detail, hint: error.hint,
            file: verify?.path, line: verify?.statements.first?.line, statement: verify?.statements.first?.text)
        if answer.count > 1 {
            failure.sqlstate = nil
            failure.message = "verify answered \(answer[1].prefix { $0 != "\"" }), not true"
        }
        return failure
    }

    /// Asks outside of a message, in a transaction that cannot write: the extended protocol takes one statement only.
    static func ask(_ verify: SQLScript, on session: any DatabaseSession) throws(DatabaseError) -> Bool? {
        try session.withTransaction(["BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY"]) {
            () throws(DatabaseError) -> Bool? in
            try session.row(verify.statements.first?.text ?? verify.text)?[0].boolean
        }
    }
}

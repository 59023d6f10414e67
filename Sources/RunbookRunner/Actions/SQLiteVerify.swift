import DatabaseAccess
import RunbookModel

/// The `verify` query in SQLite.
struct SQLiteVerify {
    let runbook: Runbook
    let verify: SQLScript
    let tenant: String
    let clean: Bool

    /// What it says against the work; nil when it answers true.
    func failure(on session: any DatabaseSession) throws(DatabaseError) -> Failure? {
        let answer: Bool?
        do throws(DatabaseError) { answer = try ask(on: session) } catch {
            if error.code == .interrupted { throw error }
            var failure = runbook.failure(tenant: tenant, "verify could not be asked: \(error.message)", clean: clean)
            failure.file = verify.path
            failure.line = verify.statements.first?.line
            failure.statement = verify.statements.first?.text
            return failure
        }
        guard answer != true else { return nil }
        var failure = runbook.failure(
            tenant: tenant, "verify answered \(answer.map(String.init) ?? "null"), not true", clean: clean)
        failure.file = verify.path
        failure.line = verify.statements.first?.line
        failure.statement = verify.statements.first?.text
        return failure
    }

    /// Asks where nothing can be written (sqlite.org/pragma.html#pragma_query_only).
    func ask(on session: any DatabaseSession) throws(DatabaseError) -> Bool? {
        try session.run("PRAGMA query_only = ON")
        let answer: Bool?
        do throws(DatabaseError) {
            answer = try session.row(verify.statements.first?.text ?? verify.text)?[0].boolean
        } catch {
            try session.run("PRAGMA query_only = OFF")
            throw error
        }
        try session.run("PRAGMA query_only = OFF")
        return answer
    }
}

import DatabaseAccess
import RunbookModel

/// The statements of a `transaction: false` script in SQLite: VACUUM, PRAGMAs.
struct SQLiteDirectScript {
    let runbook: Runbook
    let script: SQLScript
    let target: TenantTarget
    let tenant: String
    let session: any DatabaseSession

    func run() -> WorkEnd {
        let context = ScriptContext(
            tenant: tenant,
            settings: Dictionary(target.settings.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 }),
            isTransactional: false)
        var rows = 0
        do throws(DatabaseError) {
            try session.run("PRAGMA foreign_keys = \(runbook.foreignKeys ? "ON" : "OFF")")
            try Failpoint.reach(.directStatement, .before)
            try session.run(script.text, as: context) { _, result in rows += result.rowsAffected }
            Failpoint.pass(.directStatement, .after)
            return .succeeded(rows: rows, output: nil)
        } catch {
            let place = ScriptPlace(script: script, tenant: tenant, runbook: runbook)
            // Each statement commits by itself: when the disk fails, that may have been under way, or done.
            let isLost = error.code == .connectionLost
            let failure = place.failure(
                error, offset: error.position.map { $0 - 1 }, statement: error.resultsBefore,
                clean: error.resultsBefore == 0 && !isLost)
            return isLost || error.code == .interrupted && error.resultsBefore > 0
                ? .unknown(failure, output: nil) : .failed(failure, output: nil)
        }
    }
}

import DatabaseAccess
import RunbookModel

/// Finds the place of an error in a script and says it as a failure.
struct ScriptPlace {
    let script: SQLScript
    let tenant: String
    let runbook: Runbook

    /// - Parameters:
    ///   - offset: 0-based, in Unicode scalars of the script; nil when the engine gave no position.
    ///   - statement: index of the statement that failed, when known.
    func failure(_ error: DatabaseError, offset: Int?, statement index: Int?, clean: Bool) -> Failure {
        let statement =
            offset.flatMap { place in script.statements.last { $0.offset <= place } }
            ?? index.flatMap { script.statements.indices.contains($0) ? script.statements[$0] : nil }
        let line = offset.map { script.line(at: $0) } ?? statement?.line
        let hint = [error.hint, error.context.map { "CONTEXT: \($0)" }].compactMap(\.self).joined(separator: "\n")
        return Failure(
            tenant: tenant.isEmpty ? nil : tenant, runbook: runbook.id, key: runbook.key, state: "failed", clean: clean,
            sqlstate: error.sqlState, message: error.message, detail: error.detail, hint: hint.isEmpty ? nil : hint,
            file: script.path, line: line, statement: statement.map { excerpt($0, around: offset) })
    }

    /// The statement, or up to 240 characters of it around the error.
    private func excerpt(_ statement: SQLStatement, around offset: Int?) -> String {
        let limit = 240
        guard statement.length > limit else { return statement.text }
        let scalars = statement.text.unicodeScalars
        let place = max(0, (offset ?? statement.offset) - statement.offset)
        let start = max(0, min(place - limit / 2, statement.length - limit))
        let from = scalars.index(scalars.startIndex, offsetBy: start, limitedBy: scalars.endIndex) ?? scalars.endIndex
        let to = scalars.index(from, offsetBy: limit, limitedBy: scalars.endIndex) ?? scalars.endIndex
        return (start > 0 ? "… " : "") + String(scalars[from..<to]) + (to < scalars.endIndex ? " …" : "")
    }
}

extension Runbook {
    /// A failure that has no place in a script.
    func failure(tenant: String, _ message: String, clean: Bool, hint: String? = nil) -> Failure {
        Failure(
            tenant: tenant.isEmpty ? nil : tenant, runbook: id, key: key, state: "failed", clean: clean,
            message: message, hint: hint, file: nil, line: nil)
    }
}

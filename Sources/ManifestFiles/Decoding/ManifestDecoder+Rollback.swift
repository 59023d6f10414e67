import RunbookModel

extension ManifestDecoder {
    private static let undoKeys = ["sql", "exec", "transaction", "repeatable", "timeout"]

    /// What takes a runbook back: a file's name for a transactional script, an object for everything else.
    func undo(_ field: ManifestField, dialect: SQLDialect?, limits: RunbookLimits) -> RunbookUndo? {
        if case .string = field.node.value {
            return script(field, dialect: dialect, transactional: true).map {
                RunbookUndo(action: .sql($0), checksum: $0.checksum)
            }
        }
        guard case .object = field.node.value else {
            field.mismatch("a file, or an object with sql or exec")
            return nil
        }
        guard let object = field.object(keys: Self.undoKeys) else { return nil }
        let isRepeatable = object["repeatable"]?.boolean() ?? false
        if let exec = object["exec"] {
            object.refuse(["sql"], "stands beside exec", remedy: "an undo does one thing")
            object.refuse(["transaction"], "is for sql, and this is an exec", remedy: "leave it out")
            let timeout = object["timeout"].flatMap { $0.duration(in: Self.timeLimits) }
            return command(exec).map { command in
                RunbookUndo(
                    action: .exec(
                        HookCommand(
                            arguments: command.arguments,
                            timeout: timeout ?? limits.runbookTimeout ?? .seconds(3600))),
                    transaction: false, repeatable: isRepeatable, checksum: command.checksum)
            }
        }
        object.refuse(["timeout"], "is for exec", remedy: "for a script the runbook's runbook_timeout counts")
        guard let sql = object["sql"] else {
            field.report("undoes nothing", remedy: "give it sql or exec")
            return nil
        }
        let transaction = object["transaction"]?.boolean() ?? true
        return script(sql, dialect: dialect, transactional: transaction).map {
            RunbookUndo(
                action: .sql($0), transaction: transaction, repeatable: isRepeatable, checksum: $0.checksum)
        }
    }
}

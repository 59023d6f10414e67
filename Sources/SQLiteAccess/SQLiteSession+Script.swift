private import CSQLite
package import DatabaseAccess

extension SQLiteSession {
    package func run(
        _ text: String, as context: ScriptContext?, forEach each: (Int, StatementResult) -> Void
    ) throws(DatabaseError) {
        guard let context else { return try runStatements(of: text, forEach: each) { _, _ throws(DatabaseError) in } }
        try runScript(text, as: context, forEach: each)
    }

    package func hasTemporaryObjects() throws(DatabaseError) -> Bool {
        guard connection.scriptGuard.touchesTemporary else { return false }
        let count = try row("SELECT count(*) FROM sqlite_temp_schema")?[0].integer ?? 0
        connection.scriptGuard.touchesTemporary = count > 0
        return count > 0
    }

    /// Objects of the schema that mention `muster_tenant` or `muster_setting`, as `trigger t_insert: muster_tenant`.
    ///
    /// Such an object makes the file unusable for every other program ("no such function").
    package func musterFunctionsInSchema() throws(DatabaseError) -> [String] {
        var found: [String] = []
        let sql = """
            SELECT type, name, sql FROM sqlite_schema
            WHERE sql LIKE '%muster\\_tenant%' ESCAPE '\\' OR sql LIKE '%muster\\_setting%' ESCAPE '\\' ORDER BY rowid
            """
        try query(sql, []) { row throws(DatabaseError) in
            let names = SQLiteText.identifiers(["muster_tenant", "muster_setting"], in: row[2].text ?? "")
            guard !names.isEmpty else { return }
            let list = names.sorted().joined(separator: ", ")
            found.append("\(row[0].text ?? "object") \(row[1].text ?? ""): \(list)")
        }
        return found
    }

    private func runScript(
        _ text: String, as context: ScriptContext, forEach each: (Int, StatementResult) -> Void
    ) throws(DatabaseError) {
        guard context.isTransactional == isInTransaction else {
            let state = isInTransaction ? "a" : "no"
            throw DatabaseError(
                .misuse, "the script says transaction: \(context.isTransactional), and \(state) transaction is open")
        }
        let scriptGuard = connection.scriptGuard
        let origin = scriptGuard.origin
        scriptGuard.origin = context.isTransactional ? .transactionalScript : .freeScript
        scriptGuard.context = context
        scriptGuard.beginScript()
        var results = 0
        let outcome: Result<Void, DatabaseError>
        do throws(DatabaseError) {
            try runStatements(of: text) { index, result in
                results = index + 1
                each(index, result)
            } afterEach: { text, offset throws(DatabaseError) in
                guard context.isTransactional, !isInTransaction else { return }
                throw DatabaseError(
                    .refused, "the statement ended Muster's transaction: \(text.excerpt(from: offset))",
                    hint: "a transactional script must not end its transaction",
                    position: text.position(ofByte: text.firstToken(from: offset)))
            }
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        scriptGuard.origin = origin
        scriptGuard.context = nil
        do throws(DatabaseError) {
            try outcome.get()
            try checkLeftovers(of: text, context)
        } catch {
            var error = error
            if case .success = outcome { error.resultsBefore = results }
            if !context.isTransactional { restoreSettings() }
            throw error
        }
        if !context.isTransactional { try applySettings() }
    }

    /// Ends the transaction that the script itself began, and puts its settings back. The first error wins: what cannot
    /// be put back makes the session unusable, not the report wrong.
    private func restoreSettings() {
        guard isUsable else { return }
        do throws(DatabaseError) {
            if isInTransaction { try run("ROLLBACK") }
            try applySettings()
        } catch {
            close()
        }
    }

    private func runStatements(
        of sql: String, forEach each: (Int, StatementResult) -> Void,
        afterEach check: (SQLiteText, Int) throws(DatabaseError) -> Void
    ) throws(DatabaseError) {
        let text = try begin(sql)
        var offset = 0
        var index = 0
        do throws(DatabaseError) {
            while offset < text.count {
                let start = offset
                guard !connection.interrupter.isRequested else {
                    throw DatabaseError(
                        .interrupted, "interrupted", position: text.position(ofByte: text.firstToken(from: start)))
                }
                guard let statement = try prepare(text, at: &offset) else {
                    guard offset > start else { return }
                    continue
                }
                let result = try step(statement, text, from: start) { _ throws(DatabaseError) in }
                each(index, result)
                index += 1
                try check(text, start)
            }
        } catch {
            var error = error
            error.resultsBefore = index
            throw error
        }
    }

    /// What a script must not leave behind: an open savepoint or transaction, our functions in the schema.
    private func checkLeftovers(of text: String, _ context: ScriptContext) throws(DatabaseError) {
        if context.isTransactional, let savepoint = connection.scriptGuard.savepoints.last {
            throw DatabaseError(
                .refused, "the script ends inside its savepoint \(savepoint)", hint: "add RELEASE \(savepoint)")
        }
        if !context.isTransactional, isInTransaction {
            throw DatabaseError(
                .refused, "the script ends inside a transaction that it began", hint: "add COMMIT at its end")
        }
        // A transactional script cannot write the schema as a table: what it leaves there stands in its text.
        guard connection.scriptGuard.touchesSchema, !context.isTransactional || text.mentionsFunctions else { return }
        let objects = try musterFunctionsInSchema()
        guard objects.isEmpty else {
            throw DatabaseError(
                .refused,
                "the script leaves a function of Muster in the schema (\(objects.joined(separator: "; "))): "
                    + "other programs could not use the file",
                hint: "use muster_tenant() and muster_setting() in statements only, not in objects of the schema")
        }
    }
}

extension String {
    /// Whether it may name a function of Muster, in any case of letters.
    fileprivate var mentionsFunctions: Bool { unsafe sqlite3_strlike("%muster\\_%", self, 0x5C) == 0 }
}

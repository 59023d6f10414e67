import DatabaseAccess
import LedgerStore
import RunbookModel

/// The transactional runbooks that one tenant in a SQLite file needs next: the file is opened and the tenant locked once
/// for all of them, and each is a transaction of its own. The first that does not succeed ends the stage.
///
/// Fused, they are one transaction: all or nothing.
struct SQLiteStage {
    /// Never empty.
    let scripts: [SQLiteScript]
    let session: any DatabaseSession
    let isFused: Bool
    /// Whether a further transaction may begin: the lock may be lost, or somebody may be waiting for the workspace.
    let mayGoOn: () -> Bool

    /// - Parameter hasEnded: is told the index of a script that has succeeded, as soon as that is known.
    /// - Returns: what is known of each script, in their order and without a gap; fused and failed, of the one that failed.
    func run(hasEnded: (Int) -> Void) -> StageEnd {
        isFused ? inOneTransaction(hasEnded) : oneByOne(hasEnded)
    }

    private func oneByOne(_ hasEnded: (Int) -> Void) -> StageEnd {
        var end = StageEnd()
        var known: Set<Identity>?
        for (index, script) in scripts.enumerated() {
            guard index == 0 || mayGoOn() else { break }
            let began = ContinuousClock.now
            let scriptEnd = alone(script, &known)
            end.add(scriptEnd, of: index, milliseconds: (ContinuousClock.now - began).milliseconds)
            guard case .succeeded = scriptEnd, session.isUsable else { break }
            hasEnded(index)
            guard !closesForTemporaryObjects() else { break }
        }
        return end
    }

    private func alone(_ script: SQLiteScript, _ known: inout Set<Identity>?) -> ActionEnd {
        if let refusal = script.begin() { return refusal }
        let end = script.inTransaction(&known, isFollowed: false)
        guard case .succeeded = end else {
            rollBack()
            return end
        }
        guard let refusal = script.commit() else { return end }
        rollBack()
        return refusal
    }

    private func inOneTransaction(_ hasEnded: (Int) -> Void) -> StageEnd {
        if let refusal = scripts[0].begin() { return StageEnd(refusal) }
        var end = StageEnd()
        var known: Set<Identity>?
        var began = ContinuousClock.now
        for (index, script) in scripts.enumerated() {
            let isLast = index == scripts.count - 1
            var scriptEnd = script.inTransaction(&known, isFollowed: !isLast)
            if case .succeeded = scriptEnd {
                if isLast {
                    scriptEnd = script.commit() ?? scriptEnd
                } else {
                    do throws(DatabaseError) { try takeBack(after: script) } catch {
                        scriptEnd = script.failed(error, offset: nil, statement: nil)
                    }
                }
            }
            guard case .succeeded = scriptEnd else {
                rollBack()
                closesForTemporaryObjects()
                return StageEnd(scriptEnd, of: index)
            }
            let now = ContinuousClock.now
            end.add(scriptEnd, of: index, milliseconds: (now - began).milliseconds)
            began = now
            hasEnded(index)
        }
        closesForTemporaryObjects()
        return end
    }

    private func rollBack() {
        guard session.isInTransaction else { return }
        do throws(DatabaseError) { try session.run("ROLLBACK") } catch { session.close() }
    }

    /// Temporary objects live as long as the session: the next script, or tenant, gets one without them.
    @discardableResult
    private func closesForTemporaryObjects() -> Bool {
        guard session.isUsable else { return true }
        do throws(DatabaseError) {
            guard try session.hasTemporaryObjects() else { return false }
        } catch {
            // What cannot be asked is not kept either.
        }
        session.close()
        return true
    }

    /// What one script leaves on the connection does not reach the next, although their transaction goes on.
    private func takeBack(after script: SQLiteScript) throws(DatabaseError) {
        if script.runbook.foreignKeys { try session.run("PRAGMA defer_foreign_keys = OFF") }
        guard try session.hasTemporaryObjects() else { return }
        // Indexes and triggers go with their tables; a view's triggers with it.
        let objects = try session.rows(
            "SELECT type, name FROM sqlite_temp_schema WHERE type IN ('table', 'view', 'trigger') ORDER BY type <> 'trigger'"
        )
        for object in objects {
            let name = (object[1].text ?? "").replacing("\"", with: "\"\"")
            try session.run("DROP \(object[0].text ?? "TABLE") IF EXISTS temp.\"\(name)\"")
        }
    }
}

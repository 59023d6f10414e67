internal import DatabaseAccess

/// What SQLite's callbacks need to know of the statement under way. Owned and used by the session's thread alone.
final class ScriptGuard {
    /// Who issues the statements now.
    var origin: SQLiteAction.Origin
    /// What `muster_tenant()` and `muster_setting()` answer from; nil outside scripts.
    var context: ScriptContext?
    /// Why the last statement was denied.
    private(set) var denial: SQLiteAction.Denial?
    /// Savepoints that the script has opened and not released, outermost first.
    private(set) var savepoints: [String] = []
    /// Whether a statement of the script may have changed the schema.
    private(set) var touchesSchema = false
    /// Whether a script may have left something temporary on the connection.
    var touchesTemporary = false
    private var savepointStep: (operation: String, name: String)?

    init(origin: SQLiteAction.Origin) {
        self.origin = origin
    }

    /// Forgets what the statement before left.
    func beginStatement() {
        denial = nil
        savepointStep = nil
    }

    func beginScript() {
        savepoints = []
        touchesSchema = false
    }

    /// Takes note of what a statement of a script is about to do.
    func note(touchesSchema: Bool, touchesTemporary: Bool) {
        if touchesSchema { self.touchesSchema = true }
        if touchesTemporary { self.touchesTemporary = true }
    }

    /// Whether the action may go on; remembers why not. `savepoint` is set when the action is one.
    func permits(_ action: SQLiteAction, savepoint: Bool) -> Bool {
        if savepoint, let operation = action.subject, let name = action.value {
            savepointStep = (operation, name.lowercased())
        }
        guard let denial = action.denial(for: origin) else { return true }
        if self.denial == nil { self.denial = denial }
        return false
    }

    /// Keeps account of savepoints once the statement has succeeded. RELEASE ends the savepoint and those inside it
    /// (https://www.sqlite.org/lang_savepoint.html); ROLLBACK TO ends those inside it.
    func endStatement() {
        guard let (operation, name) = savepointStep else { return }
        if operation == "BEGIN" {
            savepoints.append(name)
        } else if let index = savepoints.lastIndex(of: name) {
            savepoints.removeSubrange((operation == "RELEASE" ? index : index + 1)...)
        }
        savepointStep = nil
    }
}

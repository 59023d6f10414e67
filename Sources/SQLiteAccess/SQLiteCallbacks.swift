private import CSQLite
private import DatabaseAccess
private import Glibc

/// How long a busy file is waited for.
final class BusyPatience {
    let limit: Duration
    let interrupter: SQLiteInterrupter
    private var since = ContinuousClock.now

    init(limit: Duration, interrupter: SQLiteInterrupter) {
        self.limit = limit
        self.interrupter = interrupter
    }

    /// Waits a little before the next try; false when enough has been waited.
    func waits(beforeTry count: Int32) -> Bool {
        if count == 0 { since = .now }
        guard !interrupter.isRequested, since.duration(to: .now) < limit else { return false }
        // 1 ms at first, 25 ms at most, as SQLite's own handler does for most of its time.
        usleep(min(25_000, 1000 << UInt32(min(count, 5))))
        return true
    }
}

/// sqlite3_busy_handler: 0 gives up.
func waitsWhileBusy(_ owner: UnsafeMutableRawPointer?, _ count: Int32) -> Int32 {
    guard let owner = unsafe owner else { return 0 }
    return unsafe Unmanaged<BusyPatience>.fromOpaque(owner).takeUnretainedValue().waits(beforeTry: count) ? 1 : 0
}

/// sqlite3_progress_handler: not 0 interrupts. It closes the gap in which sqlite3_interrupt comes before the first step.
func stopsProgress(_ owner: UnsafeMutableRawPointer?) -> Int32 {
    guard let owner = unsafe owner else { return 0 }
    return unsafe Unmanaged<SQLiteInterrupter>.fromOpaque(owner).takeUnretainedValue().isRequested ? 1 : 0
}

/// sqlite3_set_authorizer.
func authorize(
    _ owner: UnsafeMutableRawPointer?, _ code: Int32, _ subject: UnsafePointer<CChar>?,
    _ value: UnsafePointer<CChar>?, _ database: UnsafePointer<CChar>?, _ trigger: UnsafePointer<CChar>?
) -> Int32 {
    guard let owner = unsafe owner else { return SQLITE_DENY }
    let scriptGuard = unsafe Unmanaged<ScriptGuard>.fromOpaque(owner).takeUnretainedValue()
    // Called for each column of Muster's own statements too.
    guard scriptGuard.origin != .own else { return SQLITE_OK }
    if scriptGuard.origin.isScript {
        // A change of a column or an index asks a hundred times: nothing is copied for that.
        let isOwnTable = unsafe subject.map { unsafe strncmp($0, "sqlite_", 7) == 0 } ?? false
        scriptGuard.note(
            touchesSchema: SQLiteAction.mayDefine(code, isOwnTable: isOwnTable),
            touchesTemporary: unsafe database.map { unsafe strcmp($0, "temp") == 0 } ?? false)
        guard SQLiteAction.isLimited(code) else { return SQLITE_OK }
    }
    let action = SQLiteAction(
        code: code, subject: unsafe subject.map { unsafe String(cString: $0) },
        value: unsafe value.map { unsafe String(cString: $0) })
    return scriptGuard.permits(action, savepoint: code == SQLITE_SAVEPOINT) ? SQLITE_OK : SQLITE_DENY
}

/// `muster_tenant()`: the script's tenant, NULL outside scripts.
func answerTenant(
    _ call: OpaquePointer?, _ count: Int32, _ arguments: UnsafeMutablePointer<OpaquePointer?>?
) {
    unsafe answer(call, unsafe scriptGuard(of: call)?.context?.tenant)
}

/// `muster_setting(name)`: the tenant's setting; an error when it was not declared.
func answerSetting(
    _ call: OpaquePointer?, _ count: Int32, _ arguments: UnsafeMutablePointer<OpaquePointer?>?
) {
    guard let context = unsafe scriptGuard(of: call)?.context else { return unsafe answer(call, nil) }
    let name = unsafe sqlite3_value_text(arguments?.pointee).map { unsafe String(cString: $0) } ?? ""
    if let value = context.settings[name] { return unsafe answer(call, value) }
    let declared = context.settings.isEmpty ? "none" : context.settings.keys.sorted().joined(separator: ", ")
    unsafe sqlite3_result_error(call, "no setting '\(name)' for this tenant; declared: \(declared)", -1)
}

private func scriptGuard(of call: OpaquePointer?) -> ScriptGuard? {
    unsafe sqlite3_user_data(call).map { unsafe Unmanaged<ScriptGuard>.fromOpaque($0).takeUnretainedValue() }
}

private func answer(_ call: OpaquePointer?, _ text: String?) {
    guard let text else { return unsafe sqlite3_result_null(call) }
    unsafe sqlite3_result_text64(
        call, text, UInt64(text.utf8.count), muster_sqlite_transient(), UInt8(SQLITE_UTF8))
}

private import CSQLite
internal import DatabaseAccess

/// One open database handle. Its thread is its owner's; only `interrupter` is for others.
@safe
struct SQLiteConnection: ~Copyable {
    /// nil once closed.
    private var pointer: OpaquePointer?
    let interrupter = SQLiteInterrupter()
    /// What the callbacks read. The handle keeps an unretained pointer to it, so it lives as long as the handle.
    let scriptGuard: ScriptGuard
    /// When a wait for a busy file ends; the busy handler reads it.
    private let patience: BusyPatience

    /// Opens a handle without a mutex of its own, with extended result codes.
    ///
    /// - Parameter name: a path, or a `file:` URI when `flags` say so.
    init(_ name: String, flags: Int32, scriptGuard: ScriptGuard, busyTimeout: Duration) throws(DatabaseError) {
        _ = Self.isConfigured
        var handle: OpaquePointer?
        let code = unsafe sqlite3_open_v2(name, &handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
        self.scriptGuard = scriptGuard
        patience = BusyPatience(limit: busyTimeout, interrupter: interrupter)
        // A handle is given even when opening failed; it must be closed, which the deinit does.
        unsafe pointer = handle
        guard code == SQLITE_OK, let handle = unsafe handle else {
            throw DatabaseError(sqlite: code, message)
        }
        interrupter.attach(UInt(bitPattern: handle))
        installCallbacks()
    }

    deinit {
        interrupter.detach()
        unsafe sqlite3_close_v2(pointer)
    }

    /// Ends the connection. Idempotent.
    mutating func close() {
        interrupter.detach()
        unsafe sqlite3_close_v2(pointer)
        unsafe pointer = nil
    }

    var isOpen: Bool { unsafe pointer != nil }

    /// Whether a transaction is open.
    var isInTransaction: Bool { unsafe isOpen && sqlite3_get_autocommit(pointer) == 0 }

    /// What SQLite says about the last call.
    var message: String {
        unsafe sqlite3_errmsg(pointer).map { unsafe String(cString: $0) } ?? "out of memory"
    }

    /// Byte offset of the last error inside the statement that was prepared, or nil.
    var errorOffset: Int? {
        let offset = unsafe sqlite3_error_offset(pointer)
        return offset < 0 ? nil : Int(offset)
    }

    /// Rows that the last INSERT, UPDATE or DELETE changed itself.
    var changes: Int { unsafe pointer.map { unsafe Int(sqlite3_changes64($0)) } ?? 0 }

    /// Rows changed since the handle was opened, triggers' and foreign keys' work included.
    var totalChanges: Int { unsafe pointer.map { unsafe Int(sqlite3_total_changes64($0)) } ?? 0 }

    /// Whether closing the last connection leaves the write-ahead log alone.
    func setCheckpointOnClose(_ isOn: Bool) {
        _ = unsafe muster_sqlite_db_config_flag(pointer, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, isOn ? 0 : 1)
    }

    /// Prepares the statement at `offset` and moves `offset` behind it.
    ///
    /// - Returns: nil when there is only white space, a comment or a lone semicolon, or when `code` is an error.
    ///
    /// - Parameter isKept: the statement will be used again.
    func prepare(
        _ text: SQLiteText, at offset: inout Int, code: inout Int32, isKept: Bool = false
    ) -> SQLiteStatement? {
        var statement: OpaquePointer?
        let start = offset
        (code, offset) = unsafe text.bytes.withUnsafeBytes { bytes in
            guard let base = unsafe bytes.baseAddress?.assumingMemoryBound(to: CChar.self) else {
                return (SQLITE_MISUSE, start)
            }
            var tail: UnsafePointer<CChar>?
            let code = unsafe sqlite3_prepare_v3(
                pointer, base + start, Int32(clamping: bytes.count - start),
                isKept ? UInt32(SQLITE_PREPARE_PERSISTENT) : 0, &statement, &tail)
            return (code, unsafe tail.map { unsafe $0 - base } ?? start)
        }
        return unsafe statement.map { unsafe SQLiteStatement($0) }
    }

    /// Every connection has one thread, and their threads should not meet at a count of bytes that nobody reads. Refused,
    /// and harmless, where somebody has used the library before.
    private static let isConfigured = muster_sqlite_forget_memory_counts() == SQLITE_OK

    /// Whether a new connection does not lock its file for good: the one setting of ours, besides those that are set on
    /// every connection, that a build of the library may have another default for.
    static let hasUsualDefaults = unsafe sqlite3_compileoption_used("DEFAULT_LOCKING_MODE") == 0

    private func installCallbacks() {
        let owner = unsafe Unmanaged.passUnretained(scriptGuard).toOpaque()
        unsafe sqlite3_set_authorizer(pointer, authorize, owner)
        unsafe sqlite3_progress_handler(
            pointer, 1000, stopsProgress, Unmanaged.passUnretained(interrupter).toOpaque())
        installBusyHandler()
        // Non-deterministic and DIRECTONLY: SQLite refuses them in indexes and generated columns at once and in views
        // and triggers on use (https://www.sqlite.org/c3ref/c_deterministic.html).
        let flags = SQLITE_UTF8 | SQLITE_DIRECTONLY
        unsafe sqlite3_create_function_v2(pointer, "muster_tenant", 0, flags, owner, answerTenant, nil, nil, nil)
        unsafe sqlite3_create_function_v2(pointer, "muster_setting", 1, flags, owner, answerSetting, nil, nil, nil)
    }

    /// Puts the busy handler in place; `PRAGMA busy_timeout` replaces it.
    func installBusyHandler() {
        unsafe sqlite3_busy_handler(pointer, waitsWhileBusy, Unmanaged.passUnretained(patience).toOpaque())
    }
}

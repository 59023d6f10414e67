private import CSQLite
package import DatabaseAccess
private import Groundwork

/// One connection to one SQLite file. Opened, used and closed by one thread.
///
/// After a script of `transaction: false` a transaction that it left open is rolled back, and the settings that it changed
/// are put back; temporary tables stay until the session is closed.
package final class SQLiteSession: DatabaseSession {
    var connection: SQLiteConnection
    private let file: SQLiteFile
    private let isReadOnly: Bool
    private var isLost = false
    /// Given back after the connection is closed.
    private var use: FileUse?
    /// Muster's own statements, prepared once; SQLite prepares them again by itself when the schema has changed.
    private var kept: [String: KeptStatement] = [:]
    private let isFullySynchronous: Bool

    package let dialect = DatabaseDialect.sqlite
    package var onNotice: ((String) -> Void)?

    package var interrupter: any StatementInterrupter { connection.interrupter }
    package var isInTransaction: Bool { connection.isInTransaction }
    package var isUsable: Bool { connection.isOpen && !isLost }

    /// Opens a file, and looks into it so that what is no database is refused here.
    ///
    /// A read-only session leaves the file and its neighbours as they are. One that reads beside a write-ahead log keeps
    /// this process from opening the file for writing: that waits for the busy timeout and is `.busy` then.
    ///
    /// - Throws: `.unreachable`, `.rejected`, `.damaged`, `.busy`; `.refused` when a read-only session would have to
    ///   recover the file.
    package static func open(
        _ url: ConnectionURL, _ options: SessionOptions
    ) throws(DatabaseError) -> SQLiteSession {
        let file = try SQLiteFile(url)
        if options.createsFile, !options.isReadOnly { try file.createFolder() }
        // While another process opens or closes the file it looks, for a moment, like one that needs recovery.
        let patience = ContinuousClock.now + min(options.busyTimeout, .seconds(2))
        while true {
            do throws(DatabaseError) {
                let session = try options.isReadOnly ? reading(file, options) : writing(file, options)
                try session.prepareForUse()
                return session
            } catch {
                guard options.isReadOnly, error.message == DatabaseError.recovery, ContinuousClock.now < patience else {
                    throw file.explain(error)
                }
                blockThread(for: .milliseconds(20))
            }
        }
    }

    private init(
        _ connection: consuming SQLiteConnection, _ use: consuming FileUse?, file: SQLiteFile, _ options: SessionOptions
    ) {
        self.connection = connection
        self.use = use
        self.file = file
        isReadOnly = options.isReadOnly
        isFullySynchronous = options.isFullySynchronous
    }

    deinit { close() }

    private static func writing(
        _ file: SQLiteFile, _ options: SessionOptions
    ) throws(DatabaseError) -> SQLiteSession {
        var use: FileUse?
        if let identity = FileIdentity(path: file.path) {
            use = try FileUse.write(identity, patience: options.busyTimeout)
        }
        let flags = SQLITE_OPEN_READWRITE | (options.createsFile ? SQLITE_OPEN_CREATE : 0)
        let connection = try connect(file.path, flags, options)
        // A file that was made just now has an identity only after that.
        if use == nil, let identity = FileIdentity(path: file.path) { use = FileUse(identity, .writing) }
        return SQLiteSession(connection, use, file: file, options)
    }

    private static func reading(
        _ file: SQLiteFile, _ options: SessionOptions
    ) throws(DatabaseError) -> SQLiteSession {
        var name = file.path
        var flags = SQLITE_OPEN_READWRITE
        var use: FileUse?
        switch file.reading {
        case .plain: break
        case .besideJournal: flags = SQLITE_OPEN_READONLY
        case .besideLog:
            // With a writer in this process the shared memory is in use anyway, and nothing needs recovery.
            guard let identity = FileIdentity(path: file.path),
                let reading = FileUse(identity, .readingLog)
            else { break }
            use = consume reading
            name = file.readingURI
            flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI
        case .needsRecovery: throw DatabaseError(.refused, DatabaseError.recovery)
        }
        return SQLiteSession(try connect(name, flags, options), use, file: file, options)
    }

    private static func connect(
        _ name: String, _ flags: Int32, _ options: SessionOptions
    ) throws(DatabaseError) -> SQLiteConnection {
        try SQLiteConnection(
            name, flags: flags, scriptGuard: ScriptGuard(origin: .own), busyTimeout: options.busyTimeout)
    }

    private func prepareForUse() throws(DatabaseError) {
        if isReadOnly { connection.setCheckpointOnClose(false) }
        if SQLiteConnection.hasUsualDefaults, !isReadOnly {
            // The first of them reads the schema, and with it looks whether this is a database at all.
            try run("PRAGMA synchronous = \(synchronous); PRAGMA recursive_triggers = OFF; PRAGMA foreign_keys = OFF")
        } else {
            try applySettings()
            try execute("SELECT count(*) FROM sqlite_schema")
        }
        if isReadOnly { connection.scriptGuard.origin = .reading }
    }

    /// The connection's settings, which SQLite does not keep in the file.
    func applySettings() throws(DatabaseError) {
        try run(
            """
            PRAGMA foreign_keys = OFF; PRAGMA synchronous = \(synchronous); PRAGMA writable_schema = OFF;
            PRAGMA ignore_check_constraints = OFF; PRAGMA recursive_triggers = OFF; PRAGMA locking_mode = NORMAL;
            PRAGMA legacy_alter_table = OFF; PRAGMA query_only = \(isReadOnly ? "ON" : "OFF");
            """)
        connection.installBusyHandler()
    }

    private var synchronous: String { isFullySynchronous ? "FULL" : "NORMAL" }

    package func close() {
        guard connection.isOpen else { return }
        kept = [:]
        // The empty `-wal` and `-shm` of a cleanly closed WAL file are ours to remove; a log with content is not.
        if isReadOnly, file.hasEmptyLog { connection.setCheckpointOnClose(true) }
        connection.close()
        use = nil
    }

    @discardableResult
    package func query(
        _ sql: String, _ parameters: [DatabaseValue], forEach body: (DatabaseRow) throws(DatabaseError) -> Void
    ) throws(DatabaseError) -> StatementResult {
        if let kept = kept[sql], !kept.isUnderWay, isUsable { return try query(kept, parameters, forEach: body) }
        let text = try begin(sql)
        var offset = 0
        let isKept = mayKeep(sql)
        guard let statement = try prepare(text, at: &offset, isKept: isKept) else {
            throw DatabaseError(.misuse, "there is no statement in the text")
        }
        guard text.firstToken(from: offset) == text.count else {
            throw DatabaseError(
                .refused, "one statement is allowed here, and another follows it: \(text.excerpt(from: offset))",
                position: text.position(ofByte: text.firstToken(from: offset)))
        }
        guard isKept else { return try step(statement, text, binding: parameters, forEach: body) }
        let keeping = KeptStatement(statement, text)
        kept[sql] = keeping
        return try keeping.use { statement throws(DatabaseError) in
            try step(statement, text, binding: parameters, forEach: body)
        }
    }

    private func query(
        _ kept: KeptStatement, _ parameters: [DatabaseValue],
        forEach body: (DatabaseRow) throws(DatabaseError) -> Void
    ) throws(DatabaseError) -> StatementResult {
        connection.interrupter.begin()
        connection.scriptGuard.beginStatement()
        return try kept.use { statement throws(DatabaseError) in
            try step(statement, kept.text, binding: parameters, forEach: body)
        }
    }

    package func query(
        _ sql: String, forEachOf lists: [[DatabaseValue]], _ body: (DatabaseRow) throws(DatabaseError) -> Void
    ) throws(DatabaseError) {
        var known: KeptStatement?
        for list in lists {
            if let known, !known.isUnderWay, isUsable {
                _ = try query(known, list, forEach: body)
            } else {
                try query(sql, list, forEach: body)
                known = kept[sql]
            }
        }
    }

    /// Muster's own questions come again and again, and there are few of them. A PRAGMA may act when it is prepared.
    private func mayKeep(_ sql: String) -> Bool {
        connection.scriptGuard.origin == .own && kept.count < 40
            && ["SELECT", "INSERT", "UPDATE", "DELETE"].contains(sql.prefix(6).uppercased())
    }

    private func step(
        _ statement: borrowing SQLiteStatement, _ text: SQLiteText, binding parameters: [DatabaseValue],
        forEach body: (DatabaseRow) throws(DatabaseError) -> Void
    ) throws(DatabaseError) -> StatementResult {
        guard statement.parameterCount == parameters.count else {
            throw DatabaseError(
                .misuse, "the statement takes \(statement.parameterCount) parameters, \(parameters.count) were given")
        }
        for (index, value) in parameters.enumerated() {
            let code = statement.bind(value, at: index + 1)
            guard code == SQLITE_OK else { throw failure(code, text, statementAt: 0) }
        }
        return try step(statement, text, from: 0, forEach: body)
    }

    /// A call begins: the session must be usable, and what was interrupted before is over.
    func begin(_ sql: String) throws(DatabaseError) -> SQLiteText {
        guard isUsable else { throw DatabaseError(.misuse, "the session is closed") }
        connection.interrupter.begin()
        guard let text = SQLiteText(sql) else {
            throw DatabaseError(.refused, "the SQL text holds a zero byte, where SQLite would stop reading")
        }
        return text
    }

    /// Prepares the statement at `offset` and moves `offset` behind it; nil when nothing is there.
    func prepare(
        _ text: SQLiteText, at offset: inout Int, isKept: Bool = false
    ) throws(DatabaseError) -> SQLiteStatement? {
        connection.scriptGuard.beginStatement()
        let start = offset
        var code = SQLITE_OK
        let statement = connection.prepare(text, at: &offset, code: &code, isKept: isKept)
        guard code == SQLITE_OK else { throw failure(code, text, statementAt: start, isPreparing: true) }
        return statement
    }

    /// Runs a prepared statement to its end. When `body` throws, the statement is given back, which ends it.
    func step(
        _ statement: borrowing SQLiteStatement, _ text: SQLiteText, from offset: Int,
        forEach body: (DatabaseRow) throws(DatabaseError) -> Void
    ) throws(DatabaseError) -> StatementResult {
        let changesBefore = connection.totalChanges
        var result = StatementResult()
        var columns: [String]?
        while true {
            let code = statement.step()
            guard code == SQLITE_ROW else {
                guard code == SQLITE_DONE else { throw failure(code, text, statementAt: offset) }
                // Other statements leave the count of the statement before them.
                if connection.totalChanges != changesBefore { result.rowsAffected = connection.changes }
                connection.scriptGuard.endStatement()
                return result
            }
            // A statement that was prepared again after a change of the schema may have other columns.
            let names = columns ?? statement.columns()
            columns = names
            let row = statement.row(names)
            result.rowCount += 1
            if result.firstRow == nil { result.firstRow = row }
            try body(row)
        }
    }

    /// What SQLite said, with the place: where the statement could not be parsed, else its first token.
    private func failure(
        _ code: Int32, _ text: SQLiteText, statementAt offset: Int, isPreparing: Bool = false
    ) -> DatabaseError {
        var error = DatabaseError(sqlite: code, connection.message)
        if error.code == .connectionLost { isLost = true }
        if error.code == .busy, connection.interrupter.isRequested { error.code = .interrupted }
        if let denial = connection.scriptGuard.denial {
            error.code = .refused
            error.message = denial.reason
            error.hint = denial.remedy
        }
        if error.message.hasPrefix("cannot VACUUM from within") {
            error.hint = "declare the runbook with transaction: false"
        }
        let place = isPreparing ? connection.errorOffset.map { offset + $0 } : nil
        error.position = text.position(ofByte: place ?? text.firstToken(from: offset))
        return error
    }
}

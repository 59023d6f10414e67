import DatabaseAccess
import Foundation
import SQLiteAccess
import Testing

/// What a tenant's script may do in a guarded session, and what it may not.
struct SQLiteScriptTests {
    private let folder: SQLiteFolder
    private let session: SQLiteSession

    init() throws {
        folder = try SQLiteFolder()
        session = try folder.open()
        try session.run("CREATE TABLE t (a); INSERT INTO t VALUES (1)")
    }

    private func script(
        _ text: String, isTransactional: Bool = true, settings: [String: String] = [:]
    ) throws(DatabaseError) {
        let context = ScriptContext(tenant: "acme", settings: settings, isTransactional: isTransactional)
        try session.run(text, as: context) { _, _ in }
    }

    private func failure(_ text: String, isTransactional: Bool = true) throws -> DatabaseError {
        try #require(databaseError { () throws(DatabaseError) in try script(text, isTransactional: isTransactional) })
    }

    // MARK: In Muster's transaction

    @Test(arguments: [
        "COMMIT", "END", "ROLLBACK", "BEGIN", "commit transaction", "/* x */ COMMIT /* y */", "ATTACH 'x.db' AS x",
        "ATTACH '' AS x", "ATTACH DATABASE ':memory:' AS x", "DETACH x", "VACUUM", "VACUUM INTO 'x.db'",
        "PRAGMA foreign_keys = OFF", "PRAGMA foreign_keys(1)", "PRAGMA Foreign_Keys=on", "PRAGMA main.foreign_keys = 0",
        "PRAGMA journal_mode = wal", "PRAGMA synchronous = 0", "PRAGMA writable_schema = 1",
        "PRAGMA locking_mode = exclusive", "PRAGMA busy_timeout = 1", "PRAGMA query_only = 1",
        "PRAGMA trusted_schema = 0", "PRAGMA recursive_triggers = 1", "PRAGMA ignore_check_constraints = 1",
        "PRAGMA temp_store = 2", "PRAGMA schema_version = 7", "PRAGMA encoding = 'UTF-16'", "PRAGMA wal_checkpoint",
        "PRAGMA legacy_alter_table = 1", "PRAGMA hard_heap_limit = 1", "SELECT * FROM pragma_writable_schema(1)",
        "PRAGMA case_sensitive_like = 1", "PRAGMA mmap_size = 1", "PRAGMA data_store_directory = '/tmp'",
        "PRAGMA temp_store_directory = '/tmp'", "PRAGMA auto_vacuum = 1", "PRAGMA journal_size_limit = 1",
        "PRAGMA cell_size_check = 1", "PRAGMA reverse_unordered_selects = 1", "PRAGMA nothing_known = 1",
    ])
    func whatConcernsMoreThanTheTransactionIsRefused(statement: String) throws {
        try session.run("BEGIN IMMEDIATE")
        let text = "INSERT INTO t VALUES (2);\n\(statement);\nINSERT INTO t VALUES (3)"
        let error = try failure(text)
        #expect(error.resultsBefore == 1)
        #expect(error.position != nil && error.position! > 26)
        if statement.hasPrefix("VACUUM") {
            #expect(error.code == .statement || error.code == .refused)
        } else if !statement.hasPrefix("SELECT") {
            #expect(error.code == .refused)
            #expect(error.message.contains("not allowed") || error.message.contains("does nothing"))
        }
        #expect(error.hint != nil || statement.hasPrefix("SELECT"))
        // The transaction is still Muster's to end.
        #expect(session.isInTransaction)
        try session.run("ROLLBACK")
        #expect(try session.row("SELECT count(*) FROM t")?[0] == 1)
        #expect(try session.row("PRAGMA foreign_keys")?[0] == 0)
        #expect(try session.row("PRAGMA synchronous")?[0] == 2)
        #expect(try session.row("PRAGMA query_only")?[0] == 0)
    }

    @Test(arguments: [
        "PRAGMA table_info(t)", "PRAGMA foreign_keys", "PRAGMA journal_mode", "PRAGMA foreign_key_check",
        "PRAGMA foreign_key_check(t)", "PRAGMA user_version = 12", "PRAGMA application_id = 12",
        "PRAGMA defer_foreign_keys = 1", "PRAGMA integrity_check", "PRAGMA index_list('t')", "SELECT 1", "ANALYZE",
        "REINDEX", "CREATE TEMP TABLE x (a)", "CREATE VIRTUAL TABLE f USING fts5(a)",
        "SAVEPOINT a; INSERT INTO t VALUES (9); ROLLBACK TO a; RELEASE a",
        "SAVEPOINT a; SAVEPOINT b; SAVEPOINT a; RELEASE a; RELEASE A",
        "CREATE TABLE u AS SELECT * FROM t; DROP TABLE t; ALTER TABLE u RENAME TO t",
        "SELECT * FROM pragma_table_info('t')", "", "-- nothing",
    ])
    func whatBelongsToTheTransactionPasses(statement: String) throws {
        try session.run("BEGIN IMMEDIATE")
        try script(statement)
        #expect(session.isInTransaction)
        try session.run("COMMIT")
    }

    @Test(arguments: [
        ("SAVEPOINT a", "a"), ("SAVEPOINT a; SAVEPOINT b; RELEASE b", "a"), ("SAVEPOINT a; ROLLBACK TO a", "a"),
        ("SAVEPOINT a; SAVEPOINT b; ROLLBACK TO a", "a"), ("SAVEPOINT \"x y\"; SELECT 1", "x y"),
    ])
    func anOpenSavepointIsRefused(text: String, name: String) throws {
        try session.run("BEGIN IMMEDIATE")
        let error = try failure(text)
        #expect(error.code == .refused)
        #expect(error.message == "the script ends inside its savepoint \(name)")
        try session.run("ROLLBACK")
    }

    @Test func savepointsOfAnEarlierScriptAreNotCharged() throws {
        try session.run("BEGIN IMMEDIATE")
        _ = try failure("SAVEPOINT a")
        try session.run("ROLLBACK; BEGIN IMMEDIATE")
        try script("SELECT 1")
        try session.run("COMMIT")
        #expect(!session.isInTransaction)
    }

    @Test func aConflictThatRollsBackIsReportedAndEndsTheTransaction() throws {
        try session.run("CREATE UNIQUE INDEX i ON t (a); BEGIN IMMEDIATE")
        let error = try failure("INSERT OR ROLLBACK INTO t VALUES (1); INSERT INTO t VALUES (7)")
        #expect(error.code == .statement)
        #expect(!session.isInTransaction)
        #expect(try session.row("SELECT count(*) FROM t")?[0] == 1)
    }

    @Test func aTransactionalScriptNeedsATransaction() throws {
        #expect(try failure("INSERT INTO t VALUES (2)").code == .misuse)
        try session.run("BEGIN")
        #expect(try failure("INSERT INTO t VALUES (2)", isTransactional: false).code == .misuse)
        try session.run("ROLLBACK")
        #expect(try session.row("SELECT count(*) FROM t")?[0] == 1)
    }

    @Test func theRefusalNamesActionAndRemedy() throws {
        try session.run("BEGIN IMMEDIATE")
        let commit = try failure("SELECT 1;\n  COMMIT;")
        #expect(commit.message == "COMMIT is not allowed: the script runs inside Muster's transaction")
        #expect(commit.hint == "remove it, or declare the runbook with transaction: false")
        #expect(commit.position == 13)
        #expect(commit.engineCode == 23)
        let pragma = try failure("PRAGMA journal_mode = WAL")
        #expect(
            pragma.message
                == "PRAGMA journal_mode is not allowed in a transactional script: it concerns the connection or the whole file"
        )
        let keys = try failure("PRAGMA foreign_keys=OFF")
        #expect(keys.message == "PRAGMA foreign_keys does nothing inside a transaction")
        #expect(keys.hint?.contains("foreign_keys: true") == true)
        #expect(try failure("VACUUM").hint == "declare the runbook with transaction: false")
        try session.run("ROLLBACK")
    }

    @Test func theUsualTableRebuildKeepsTheChildren() throws {
        // With enforcement on, DROP TABLE would delete the children (https://www.sqlite.org/foreignkeys.html#fk_schemacommands).
        try session.run(
            """
            CREATE TABLE p (id INTEGER PRIMARY KEY);
            CREATE TABLE c (p REFERENCES p ON DELETE CASCADE);
            INSERT INTO p VALUES (1); INSERT INTO c VALUES (1);
            BEGIN IMMEDIATE
            """)
        try script(
            "CREATE TABLE p2 (id INTEGER PRIMARY KEY, x); INSERT INTO p2 (id) SELECT id FROM p; DROP TABLE p; ALTER TABLE p2 RENAME TO p"
        )
        #expect(try session.rows("PRAGMA foreign_key_check").isEmpty)
        try session.run("COMMIT")
        #expect(try session.row("SELECT count(*) FROM c")?[0] == 1)
    }

    @Test func mustersOwnStatementsAreNotGuarded() throws {
        try session.run("BEGIN IMMEDIATE")
        _ = try failure("COMMIT")
        try session.run("COMMIT")
        try session.run("PRAGMA foreign_keys = ON")
        #expect(try session.row("PRAGMA foreign_keys")?[0] == 1)
        try session.run("BEGIN IMMEDIATE")
        try script("SELECT 1")
        try session.run("COMMIT")
        // What Muster has set stays.
        #expect(try session.row("PRAGMA foreign_keys")?[0] == 1)
    }

    // MARK: Outside a transaction

    @Test(arguments: [
        "VACUUM", "PRAGMA journal_mode = wal; PRAGMA journal_mode = delete", "PRAGMA user_version = 3",
        "BEGIN; INSERT INTO t VALUES (2); COMMIT", "SAVEPOINT a; INSERT INTO t VALUES (2); RELEASE a",
        "PRAGMA foreign_keys = ON; DELETE FROM t", "PRAGMA auto_vacuum = 1; VACUUM", "BEGIN; ROLLBACK",
    ])
    func aFreeScriptMayControlItsTransactions(text: String) throws {
        try script(text, isTransactional: false)
        #expect(!session.isInTransaction)
    }

    @Test(arguments: ["ATTACH 'x.db' AS x", "ATTACH ':memory:' AS x", "DETACH x", "VACUUM INTO 'x.db'"])
    func aFreeScriptReachesNoOtherFile(text: String) throws {
        let before = try folder.snapshot().keys.sorted()
        let error = try failure(text, isTransactional: false)
        #expect(error.code == .refused)
        #expect(try folder.snapshot().keys.sorted() == before)
    }

    @Test(arguments: ["BEGIN", "BEGIN; INSERT INTO t VALUES (2)", "SAVEPOINT a"])
    func aFreeScriptMustEndItsTransaction(text: String) throws {
        let error = try failure(text, isTransactional: false)
        #expect(error.code == .refused)
        #expect(error.message == "the script ends inside a transaction that it began")
        #expect(!session.isInTransaction)
        #expect(try session.row("SELECT count(*) FROM t")?[0] == 1)
    }

    @Test(arguments: [
        "PRAGMA foreign_keys = ON", "PRAGMA synchronous = 0", "PRAGMA query_only = 1", "PRAGMA writable_schema = 1",
        "PRAGMA ignore_check_constraints = 1", "PRAGMA recursive_triggers = 1", "PRAGMA legacy_alter_table = 1",
        "PRAGMA foreign_keys = ON; SELECT nothing", "PRAGMA query_only = 1; BEGIN; SELECT nothing",
        "PRAGMA foreign_keys = ON; BEGIN",
    ])
    func whatAFreeScriptSetsIsPutBack(text: String) throws {
        _ = databaseError { () throws(DatabaseError) in try script(text, isTransactional: false) }
        let settings = [
            "foreign_keys": 0, "synchronous": 2, "query_only": 0, "writable_schema": 0, "ignore_check_constraints": 0,
            "recursive_triggers": 0, "legacy_alter_table": 0,
        ]
        for (name, value) in settings {
            #expect(try session.row("PRAGMA \(name)")?[0].integer == value, "\(name)")
        }
    }

    @Test func aFreeScriptCannotShortenTheWaitForABusyFile() throws {
        let other = try folder.open()
        try script("PRAGMA busy_timeout = 0", isTransactional: false)
        try other.run("BEGIN IMMEDIATE")
        let began = ContinuousClock.now
        let interrupter = session.interrupter
        Thread.detachNewThread {
            usleep(100_000)
            interrupter.interrupt()
        }
        #expect(databaseError { () throws(DatabaseError) in try session.run("BEGIN IMMEDIATE") }?.code == .interrupted)
        #expect(began.duration(to: .now) >= .milliseconds(90))
    }

    // MARK: Functions

    @Test func theFunctionsAnswerForTheTenant() throws {
        try session.run("BEGIN")
        try script(
            "CREATE TABLE f (a, b); INSERT INTO f VALUES (muster_tenant(), muster_setting('plan')); SELECT MUSTER_TENANT()",
            settings: ["plan": "gold's"])
        try session.run("COMMIT")
        #expect(try session.row("SELECT a, b FROM f")?.values == ["acme", "gold's"])
    }

    @Test func anUndeclaredSettingIsAnError() throws {
        try session.run("BEGIN")
        let error = try #require(
            databaseError { () throws(DatabaseError) in
                try script("SELECT muster_setting('plam')", settings: ["plan": "x", "region": "y"])
            })
        #expect(error.message == "no setting 'plam' for this tenant; declared: plan, region")
        #expect(try failure("SELECT muster_setting(NULL)").message == "no setting '' for this tenant; declared: none")
        try session.run("ROLLBACK")
    }

    @Test func outsideAScriptTheFunctionsKnowNobody() throws {
        #expect(try session.row("SELECT muster_tenant(), muster_setting('x')")?.values == [nil, nil])
        try session.run("BEGIN")
        try script("SELECT 1")
        try session.run("COMMIT")
        #expect(try session.row("SELECT muster_tenant()")?[0] == .null)
    }

    @Test(arguments: [
        ("CREATE TABLE x (a DEFAULT (muster_tenant()))", "table x"),
        ("CREATE TABLE x (a CHECK (a <> MUSTER_TENANT()))", "table x"),
        ("CREATE TABLE x (a CHECK (a <> \"muster_setting\"('p')))", "table x"),
        ("CREATE TRIGGER tr AFTER INSERT ON t BEGIN UPDATE t SET a = muster_tenant (); END", "trigger tr"),
        ("CREATE VIEW v AS SELECT [muster_tenant]()", "view v"),
    ])
    func aFunctionLeftInTheSchemaIsRefusedByName(text: String, object: String) throws {
        try session.run("BEGIN")
        let error = try failure("SELECT 1; \(text)")
        #expect(error.code == .refused)
        #expect(error.message.contains(object))
        #expect(error.resultsBefore == 2)
        #expect(session.isInTransaction)
        try session.run("ROLLBACK")
        #expect(try session.musterFunctionsInSchema().isEmpty)
    }

    @Test func whatStoodInTheSchemaBeforeIsNotTheScripts() throws {
        try session.run("CREATE VIEW v AS SELECT muster_tenant() AS a")
        try session.run("BEGIN")
        try script("CREATE TABLE x (a); ALTER TABLE x RENAME TO y")
        #expect(try failure("CREATE TABLE z (a DEFAULT (Muster_Tenant()))").message.contains("table z: muster_tenant"))
        try session.run("ROLLBACK")
    }

    @Test(arguments: [
        "CREATE TABLE x (a DEFAULT 'muster_tenant()')", "CREATE TABLE x (a /* muster_tenant() */)",
        "CREATE TABLE x (a -- muster_tenant()\n)", "CREATE TABLE muster_tenants (a)",
        "CREATE VIEW v AS SELECT 'it''s muster_tenant' AS a",
    ])
    func mentionsThatCallNothingPass(text: String) throws {
        try session.run("BEGIN")
        try script(text)
        try session.run("COMMIT")
        #expect(!session.isInTransaction)
    }

    @Test(arguments: [
        "CREATE TABLE x (a, b AS (muster_tenant()))", "CREATE INDEX i ON t (muster_tenant())",
        "CREATE INDEX i ON t (a) WHERE a = muster_setting('x')",
    ])
    func whatMustBeDeterministicRefusesTheFunctions(text: String) throws {
        try session.run("BEGIN")
        #expect(try failure(text).code == .statement)
        try session.run("ROLLBACK")
    }
}

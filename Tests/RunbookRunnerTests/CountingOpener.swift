import DatabaseAccess
import Synchronization

/// Opens real engines, and keeps every text that goes out to run: each is one round trip.
struct CountingOpener: SessionOpener {
    let log: MessageLog

    /// - Parameter beforeTheFirstClaim: runs before the first message that claims is sent.
    init(beforeTheFirstClaim: @escaping @Sendable () -> Void = {}) {
        log = MessageLog(beforeTheFirstClaim)
    }

    func open(_ url: ConnectionURL, _ options: SessionOptions) throws(DatabaseError) -> any DatabaseSession {
        CountingSession(try RealOpener().open(url, options), log)
    }

    func openLockFile(beside ledger: ConnectionURL) throws(DatabaseError) -> any AdvisoryLocks {
        try RealOpener().openLockFile(beside: ledger)
    }
}

final class MessageLog: Sendable {
    private let kept = Mutex<[String]>([])
    private let beforeTheFirstClaim: @Sendable () -> Void

    init(_ beforeTheFirstClaim: @escaping @Sendable () -> Void) { self.beforeTheFirstClaim = beforeTheFirstClaim }

    /// Those that claim a runbook, or a stage.
    var claims: [String] { kept.withLock { $0.filter(Self.claims) } }

    /// All that went out, in order.
    var texts: [String] { kept.withLock { $0 } }

    func add(_ text: String) {
        kept.withLock { texts in
            if Self.claims(text), !texts.contains(where: Self.claims) { beforeTheFirstClaim() }
            texts.append(text)
        }
    }

    private static func claims(_ text: String) -> Bool {
        [
            ".claim('", ".claim_stage('", ".claim_kept('", "SELECT set_config('muster.claim'",
            "PERFORM set_config(''muster.claim''",
        ]
        .contains { text.contains($0) }
    }
}

/// A session that passes everything on.
private final class CountingSession: DatabaseSession {
    private let session: any DatabaseSession
    private let log: MessageLog

    init(_ session: any DatabaseSession, _ log: MessageLog) {
        self.session = session
        self.log = log
    }

    var dialect: DatabaseDialect { session.dialect }
    var isInTransaction: Bool { session.isInTransaction }
    var isUsable: Bool { session.isUsable }
    var backendPID: Int? { session.backendPID }
    var interrupter: any StatementInterrupter { session.interrupter }
    var onNotice: ((String) -> Void)? {
        get { session.onNotice }
        set { session.onNotice = newValue }
    }

    func close() { session.close() }

    func query(
        _ sql: String, _ parameters: [DatabaseValue], forEach body: (DatabaseRow) throws(DatabaseError) -> Void
    ) throws(DatabaseError) -> StatementResult {
        log.add(sql)
        return try session.query(sql, parameters, forEach: body)
    }

    func rows(of questions: [DatabaseQuestion], commits: Bool) throws(DatabaseError) -> [[DatabaseRow]] {
        log.add(questions.map(\.sql).joined(separator: ";\n"))
        return try session.rows(of: questions, commits: commits)
    }

    /// It goes with what follows.
    func begin(_ statements: [String]) throws(DatabaseError) { try session.begin(statements) }

    func commit() throws(DatabaseError) {
        log.add("COMMIT")
        try session.commit()
    }

    func rollback() throws(DatabaseError) {
        log.add("ROLLBACK")
        try session.rollback()
    }

    func run(
        _ text: String, as context: ScriptContext?, forEach each: (Int, StatementResult) -> Void
    ) throws(DatabaseError) {
        log.add(text)
        try session.run(text, as: context, forEach: each)
    }
}

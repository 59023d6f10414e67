import DatabaseAccess
import Synchronization

/// Opens real engines; counts what is asked, and lets something happen once, before a question that is chosen.
struct InterludeOpener: SessionOpener {
    let log: InterludeLog

    /// - Parameters:
    ///   - moment: whether the interlude comes before this text; it is told how many such texts there were before.
    init(
        before moment: @escaping @Sendable (String, Int) -> Bool = { _, _ in false },
        _ interlude: @escaping @Sendable () -> Void = {}
    ) {
        log = InterludeLog(moment, interlude)
    }

    func open(_ url: ConnectionURL, _ options: SessionOptions) throws(DatabaseError) -> any DatabaseSession {
        InterludeSession(try RealOpener().open(url, options), log)
    }

    func openLockFile(beside ledger: ConnectionURL) throws(DatabaseError) -> any AdvisoryLocks {
        try RealOpener().openLockFile(beside: ledger)
    }
}

final class InterludeLog: Sendable {
    private let kept = Mutex<(texts: [String], isOver: Bool)>(([], false))
    private let moment: @Sendable (String, Int) -> Bool
    private let interlude: @Sendable () -> Void

    init(_ moment: @escaping @Sendable (String, Int) -> Bool, _ interlude: @escaping @Sendable () -> Void) {
        self.moment = moment
        self.interlude = interlude
    }

    /// How often somebody waited for the database.
    var count: Int { kept.withLock { $0.texts.count } }

    /// How many questions held this text.
    func count(of part: String) -> Int { kept.withLock { $0.texts.count { $0.contains(part) } } }

    func add(_ text: String) {
        let isNow = kept.withLock { kept in
            let isNow = !kept.isOver && moment(text, kept.texts.count)
            kept.texts.append(text)
            kept.isOver = kept.isOver || isNow
            return isNow
        }
        if isNow { interlude() }
    }
}

/// A session that passes everything on.
private final class InterludeSession: DatabaseSession {
    private let session: any DatabaseSession
    private let log: InterludeLog

    init(_ session: any DatabaseSession, _ log: InterludeLog) {
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

    /// It goes with what follows.
    func begin(_ statements: [String]) throws(DatabaseError) { try session.begin(statements) }

    func rows(of questions: [DatabaseQuestion], commits: Bool) throws(DatabaseError) -> [[DatabaseRow]] {
        log.add(questions.map(\.sql).joined(separator: ";\n"))
        return try session.rows(of: questions, commits: commits)
    }

    func query(
        _ sql: String, _ parameters: [DatabaseValue], forEach body: (DatabaseRow) throws(DatabaseError) -> Void
    ) throws(DatabaseError) -> StatementResult {
        log.add(sql)
        return try session.query(sql, parameters, forEach: body)
    }

    func run(
        _ text: String, as context: ScriptContext?, forEach each: (Int, StatementResult) -> Void
    ) throws(DatabaseError) {
        log.add(text)
        try session.run(text, as: context, forEach: each)
    }
}

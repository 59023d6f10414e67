import DatabaseAccess
import LedgerStore
import RunbookModel

/// Asks preflight queries in one tenant at a time, on a thread and a connection of its own. Nothing can be written.
actor PreflightWorker {
    private let thread: WorkerThread
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe thread.asUnownedSerialExecutor() }

    private let opener: any SessionOpener
    private let book: PreflightBook
    private let mask: SecretMask
    private var current: (url: String, session: any DatabaseSession, version: Int)?

    /// How often a server that has too many connections is asked again.
    private static let tries = 5

    init(number: Int, opener: any SessionOpener, book: PreflightBook, mask: SecretMask) {
        thread = WorkerThread(named: "muster-\(number)")
        self.opener = opener
        self.book = book
        self.mask = mask
    }

    /// Where code that uses the worker is best run: without a change of thread.
    nonisolated var executor: any TaskExecutor { thread }

    func ask(_ runbooks: [Runbook], in member: TenantSet.Member) -> [Identity: PreflightAnswer] {
        var answers: [Identity: PreflightAnswer] = [:]
        for runbook in runbooks { answers[runbook.identity] = ask(runbook, member) }
        return answers
    }

    func close() {
        current?.session.closeAndWait()
        current = nil
    }

    private func ask(_ runbook: Runbook, _ member: TenantSet.Member) -> PreflightAnswer {
        guard let query = runbook.preflight else { return .failed("there is no preflight query") }
        let url: ConnectionURL
        let session: (session: any DatabaseSession, version: Int)
        do throws(DatabaseError) {
            url = try ConnectionURL(parsing: member.target.url.revealed)
            if let reason = book.isAway(server(url)) { return .unreachable(reason) }
            session = try connection(to: url)
        } catch {
            let reason = mask.text("\(error)")
            if error.code == .unreachable, TransientCause(sqlState: error.sqlState) != .tooManyConnections {
                if let url = try? ConnectionURL(parsing: member.target.url.revealed) {
                    book.setAway(server(url), reason)
                }
            }
            return .unreachable(reason)
        }
        do throws(DatabaseError) {
            let value =
                switch url.dialect {
                case .postgresql: try onServer(runbook, query, member, session.session, session.version)
                case .sqlite: try inFile(runbook, query, member, session.session)
                }
            guard let count = value.text.flatMap(Self.count) else {
                return .failed("\(query.path): it answered no whole number")
            }
            return .count(count)
        } catch {
            let line = query.statements.first.map { ":\($0.line)" } ?? ""
            return .failed(mask.text("\(query.path)\(line): \(error)"))
        }
    }

    private static func count(_ text: String) -> Int? { Int(text) ?? Double(text).flatMap { Int(exactly: $0) } }

    /// Tenants on one server are away together; a file is away alone.
    private func server(_ url: ConnectionURL) -> String { url.dialect == .sqlite ? url.revealed : url.server }

    private func connection(
        to url: ConnectionURL
    ) throws(DatabaseError) -> (session: any DatabaseSession, version: Int) {
        if let current, current.url == url.revealed, current.session.isUsable {
            return (current.session, current.version)
        }
        close()
        let session = try open(url)
        let version = try ServerPlace.of(session)?.version ?? 0
        current = (url.revealed, session, version)
        return (session, version)
    }

    private func open(_ url: ConnectionURL) throws(DatabaseError) -> any DatabaseSession {
        let options = SessionOptions(applicationName: "muster/preflight", isReadOnly: true)
        for number in 1..<Self.tries {
            do throws(DatabaseError) { return try opener.open(url, options) } catch {
                guard TransientCause(sqlState: error.sqlState) == .tooManyConnections else { throw error }
                StopSwitch().pause(RetryDecision.delay(afterTry: number, random: .random(in: 0...1)))
            }
        }
        return try opener.open(url, options)
    }

    /// BEGIN and a query of ours come first: what cannot be written then cannot be made writable again, and the extended
    /// protocol takes one statement only.
    private func onServer(
        _ runbook: Runbook, _ query: SQLScript, _ member: TenantSet.Member, _ session: any DatabaseSession,
        _ version: Int
    ) throws(DatabaseError) -> DatabaseValue {
        let settings = PostgresSettings(target: member.target, limits: runbook.limits, serverVersion: version)
        defer {
            do throws(DatabaseError) {
                if session.isUsable { try session.run("ROLLBACK; " + SessionReset.text) }
            } catch { session.close() }
        }
        try session.run(
            """
            BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; SELECT 1;
            \(try settings.text(isLocal: true).text)
            \(try settings.assertion() ?? "")
            """)
        return try onlyValue(of: query, within: runbook, on: session) { text, each throws(DatabaseError) in
            try session.query(text, [], forEach: each)
        }
    }

    private func inFile(
        _ runbook: Runbook, _ query: SQLScript, _ member: TenantSet.Member, _ session: any DatabaseSession
    ) throws(DatabaseError) -> DatabaseValue {
        let settings = Dictionary(member.target.settings.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
        let scene = ScriptContext(tenant: member.tenant.id, settings: settings, isTransactional: true)
        try session.run("BEGIN")
        defer {
            do throws(DatabaseError) {
                if session.isUsable, session.isInTransaction { try session.run("ROLLBACK") }
            } catch { session.close() }
        }
        return try onlyValue(of: query, within: runbook, on: session) { text, each throws(DatabaseError) in
            try session.query(text, [], as: scene, forEach: each)
        }
    }

    /// The first column of the only row.
    private func onlyValue(
        of query: SQLScript, within runbook: Runbook, on session: any DatabaseSession,
        _ ask: (String, (DatabaseRow) throws(DatabaseError) -> Void) throws(DatabaseError) -> Void
    ) throws(DatabaseError) -> DatabaseValue {
        var first: DatabaseValue?
        var rows = 0
        let limit = [runbook.limits.statementTimeout, runbook.limits.runbookTimeout].compactMap(\.self).min()
        let answer = TimeLimit.enforce(limit, on: session.interrupter) { _ in
            Result { () throws(DatabaseError) in
                try ask(query.statements.first?.text ?? query.text) { row throws(DatabaseError) in
                    rows += 1
                    if rows == 1 { first = row[0] }
                }
            }
        }
        if answer.expired { throw DatabaseError(.interrupted, "it took longer than it may") }
        try answer.answer.get()
        guard rows == 1, let first else {
            throw DatabaseError(.refused, "it answered \(rows) rows, and not one number")
        }
        return first
    }
}

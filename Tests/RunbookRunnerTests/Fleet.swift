import DatabaseAccess
import Foundation
import ManifestFiles
import PostgresAccess
import RunbookModel
import RunbookRunner
import SQLiteAccess
import Synchronization

/// Opens real engines.
struct RealOpener: SessionOpener {
    func open(_ url: ConnectionURL, _ options: SessionOptions) throws(DatabaseError) -> any DatabaseSession {
        switch url.dialect {
        case .postgresql: try PostgresSession.open(url, options)
        case .sqlite: try SQLiteSession.open(url, options)
        }
    }

    func openLockFile(beside ledger: ConnectionURL) throws(DatabaseError) -> any AdvisoryLocks {
        try LockFile(beside: ledger)
    }
}

/// Keeps events for a look afterwards.
final class EventLog: EventSink {
    private let kept = Mutex<[RunEvent]>([])

    var events: [RunEvent] { kept.withLock { $0 } }

    func send(_ event: RunEvent) { kept.withLock { $0.append(event) } }
}

/// Makes manifests in code, the way the decoder would.
enum Fleet {
    static func script(_ path: String, _ statements: [String]) -> SQLScript {
        var text = ""
        var list: [SQLStatement] = []
        for statement in statements {
            let line = 1 + text.count { $0 == "\n" }
            let lexed = SQLLexer.script(path: path, text: statement, dialect: .postgresql, transactional: false).script
            list.append(
                SQLStatement(
                    text: statement, line: line, offset: text.unicodeScalars.count,
                    length: statement.unicodeScalars.count,
                    isConcurrent: statement.uppercased().contains("CONCURRENTLY"),
                    plainTwin: lexed.statements.first?.plainTwin))
            text += statement + ";\n"
        }
        return SQLScript(path: path, text: text, statements: list, checksum: "sha256:" + SHA256.hex(text.utf8))
    }

    static func runbook(
        _ id: String, _ statements: [String], after: [String] = [], change: (inout Runbook) -> Void = { _ in }
    ) -> Runbook {
        let script = script("sql/\(id).sql", statements)
        var runbook = Runbook(
            id: id, phase: "pre-deploy", after: after, action: .sql(script), checksum: script.checksum)
        change(&runbook)
        return runbook
    }

    static func manifest(
        ledger: String, source: TenantSource, target: TargetTemplate = TargetTemplate(), runbooks: [Runbook],
        change: (inout Manifest) -> Void = { _ in }
    ) -> Manifest {
        let bodies = runbooks.map { "\($0.identity) \($0.checksum)" }.joined(separator: "\n")
        var manifest = Manifest(
            workspace: "default", ledger: LedgerSettings(url: Redacted(ledger)),
            tenants: TenantSettings(source: source, target: target), concurrency: Concurrency(),
            phases: ["pre-deploy", "post-deploy"], runbooks: runbooks,
            source: ManifestSource(
                path: "muster.json5", folder: "/", text: "{}", digest: "sha256:" + SHA256.hex(bodies.utf8), secrets: [])
        )
        change(&manifest)
        return manifest
    }

    static func apply(
        _ manifest: Manifest, opener: any SessionOpener = RealOpener(), events: EventLog = EventLog(),
        change: (inout ApplyRequest) -> Void = { _ in }
    ) async -> Report {
        var request = ApplyRequest(initiator: Initiator(kind: "user", name: "test"))
        change(&request)
        return await RunbookService(opener: opener).apply(
            manifest, request, events: events, stop: StopSwitch())
    }
}

import DatabaseAccess
import LedgerStore
import RunbookModel

/// What every worker of a run knows; it does not change while the run goes on.
struct RunContext: Sendable {
    let manifest: Manifest
    let stages: [Stage]
    let run: String
    let runner: String
    let host: String
    let opener: any SessionOpener
    /// The ledger's database; nil when the ledger is SQLite.
    let ledgerPlace: ServerPlace?
    let ledgerDialect: DatabaseDialect
    let mask: SecretMask
    let events: any EventSink
    let stop: StopSwitch
    let lockWait: Duration?
    let phase: String?
    let board: BatchBoard
    let cancelled: CancelledTenants

    /// Whether a stage is one transaction per tenant.
    var isFused: Bool { manifest.fuse }

    var applicationName: String { "muster/\(runner)" }

    func lockWait(of runbook: Runbook) -> Duration { lockWait ?? runbook.limits.lockWait }
}

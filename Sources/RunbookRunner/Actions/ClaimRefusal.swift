import LedgerStore
import RunbookModel

/// What it means that a claim was refused.
struct ClaimRefusal {
    let runbook: Runbook
    let tenant: String

    func end(for state: ClaimState, message: String) -> ActionEnd {
        switch state {
        case .busy: return .busy
        case .done: return .done(inThisRun: false)
        case .doneInRun: return .done(inThisRun: true)
        case .superseded: return .superseded
        case .drifted:
            return .drifted(
                runbook.failure(
                    tenant: tenant, "\(runbook.identity) is \(message), the manifest's body differs", clean: true,
                    hint: runbook.undoes == nil
                        ? "Give the runbook a new key, or say on_change."
                        : "Restore its file: the undo may not fit what was done."), ofTenant: false)
        case .declared:
            return .drifted(
                runbook.failure(
                    tenant: tenant, "\(runbook.identity) was declared done since this began", clean: true,
                    hint: "muster rollback --include-baselined undoes that, too."), ofTenant: false)
        case .foreignReceipt:
            return .drifted(
                runbook.failure(
                    tenant: tenant, message, clean: true,
                    hint: "It was renamed, or copied from another tenant's. If it is this tenant's now: "
                        + "muster ledger repair --tenant \(tenant) --adopt --reason …"), ofTenant: true)
        case .missingReceipts:
            return .drifted(
                runbook.failure(
                    tenant: tenant, "the ledger says done, but the tenant has no receipt of \(message)", clean: true,
                    hint: "It was restored from an older backup, or replaced. To run them again there: "
                        + "muster ledger repair --tenant \(tenant) --forget-missing --reason …"), ofTenant: true)
        case .unseenEnd:
            return .unknown(
                runbook.failure(
                    tenant: tenant, message, clean: false,
                    hint: "Look at the tenant; a runbook that may run twice says repeatable: true, or has a verify."),
                output: nil, counted: true)
        case .wrongTarget, .leftTransaction:
            return .failed(
                runbook.failure(tenant: tenant, message, clean: true), isTransient: false, output: nil, counted: false)
        }
    }
}

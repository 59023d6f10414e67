import LedgerStore
import RunbookModel

/// What it means that a claim was refused.
struct ClaimRefusal {
    let runbook: Runbook
    let tenant: String

    func end(for state: ClaimState, message: String) -> ActionEnd {
        switch state {
        case .busy: return .busy
        case .done: return .done
        case .superseded: return .superseded
        case .drifted:
            return .drifted(
                runbook.failure(
                    tenant: tenant, "\(runbook.identity) is \(message), the manifest's body differs", clean: true,
                    hint: "Give the runbook a new key, or say on_change."))
        case .foreignReceipt:
            return .drifted(
                runbook.failure(
                    tenant: tenant, message, clean: true,
                    hint: "The database was renamed, or copied from another tenant's. A person must say which."))
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

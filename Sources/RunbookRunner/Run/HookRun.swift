import LedgerStore
import RunbookModel

struct HookRun {
    let runbook: Runbook
    let command: HookCommand
    let tenant: Tenant
    let target: TenantTarget
    let ticket: ClaimTicket
    let context: RunContext

    func run() -> WorkEnd { .failed(runbook.failure(tenant: tenant.id, "later", clean: true), output: nil) }
}

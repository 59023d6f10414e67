/// Every flag there is, each written once.
extension Flag {
    package static let help = Flag("help", short: "h", help: "Show this help.")

    package static let manifest = Flag(
        "manifest", short: "f", .text("FILE"), fallback: "muster.json5, else manifests/deploy.json5",
        help: "The manifest.")
    package static let ledger = Flag(
        "ledger", .text("URL"), help: "The ledger's database, instead of the manifest's.")
    package static let readOnlyLedger = Flag(
        "ledger", .text("URL"), help: "The ledger's database. With it, and without --manifest, no manifest is read.")
    package static let workspace = Flag(
        "workspace", .text("NAME"), fallback: "default", help: "The workspace, where no manifest names it.")

    package static let phase = Flag("phase", .text("NAME"), help: "Only this phase of the deploy.")
    package static let runbook = Flag(
        "runbook", .text("ID"), isRepeatable: true, help: "Only this runbook. Repeatable.")
    package static let tenant = Flag("tenant", .text("ID"), isRepeatable: true, help: "Only this tenant. Repeatable.")
    package static let match = Flag(
        "match", .pair, isRepeatable: true, help: "Only tenants whose label has this value. Repeatable.")
    package static let skipTenant = Flag(
        "skip-tenant", .text("ID"), isRepeatable: true, help: "All but this tenant. Repeatable.")
    package static let allTenants = Flag(
        "all-tenants", help: "Every tenant of the manifest's source: what is asked about when no tenant is named.")

    package static let concurrency = Flag(
        "concurrency", .positiveCount, fallback: "the manifest's", help: "Tenants worked on at once.")
    package static let lockWait = Flag(
        "lock-wait", .duration, fallback: "the manifest's", help: "How long to wait for a tenant's lock.")
    package static let maxFailures = Flag(
        "max-failures", .allowance, fallback: "the manifest's",
        help: "Stop the run when more tenants than this have failed: a number, or a share as in 2%.")
    package static let release = Flag(
        "release", .text("NAME"), fallback: "the CI system's tag", help: "The release label that the run is kept with.")
    package static let expectTenants = Flag(
        "expect-tenants", .count, help: "Refuse unless there are exactly this many tenants.")
    package static let grace = Flag(
        "grace", .duration, fallback: "30s",
        help: "After INT or TERM, how long running transactions may go on.")
    package static let report = Flag(
        "report", .text("KIND=FILE"), isRepeatable: true,
        help: "Write the report to a file too. KIND is json, junit, markdown or prometheus.")
    package static let yes = Flag("yes", short: "y", help: "Never ask. apply asks nothing, so this changes nothing.")
    package static let exitCode = Flag("exit-code", help: "Exit with 2 when work is pending.")
    package static let limit = Flag("limit", .positiveCount, fallback: "20", help: "How many runs to list.")

    package static let format = Flag(
        "format", .choice(["text", "json", "ndjson"]), fallback: "text", help: "What stdout gets.")
    package static let quiet = Flag("quiet", short: "q", help: "No progress; the verdict only when it is bad.")
    package static let verbose = Flag("verbose", short: "v", help: "A line for each execution.")
    package static let out = Flag(
        "out", .text("FILE"), help: "Save the plan, for apply --plan.")
    package static let plan = Flag(
        "plan", .text("FILE"),
        help: "Apply a saved plan, as it is or not at all; what it is about is part of it.")
    package static let planVerbose = Flag(
        "verbose", short: "v", help: "A line for each tenant and runbook that is not done.")
    package static let noColor = Flag("no-color", help: "No colour on a terminal. NO_COLOR works too.")

    package static let selection: [Flag] = [.phase, .runbook, .tenant, .match, .skipTenant]
    /// For every command.
    package static let general: [Flag] = [.format, .noColor, .help]

    package static func unsupported(_ name: String, _ value: Value = .none) -> Flag {
        Flag(name, value, isSupported: false, help: "")
    }
}

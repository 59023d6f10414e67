import RunbookModel
import RunbookRunner

/// Flags of rehearse.
extension Flag {
    package static let sample = Flag(
        "sample", .positiveCount, fallback: "all",
        help: "Only this many of the tenants with something to do, the same ones every time.")
    package static let maxHold = Flag(
        "max-hold", .duration, fallback: RunbookModel.DurationText.text(RehearseRequest.usualMaxHold),
        help: "How long a tenant's transaction may stay open and hold its locks.")
    package static let shortLockWait = Flag(
        "lock-wait", .duration, fallback: RunbookModel.DurationText.text(RehearseRequest.usualLockWait),
        help: "How long to wait for a tenant's lock; then the tenant is reported as busy.")
}

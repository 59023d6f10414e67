/// Flags of the verbs that set records right.
extension Flag {
    package static let adopt = Flag(
        "adopt", help: "Receipts that stand under another tenant's name become this tenant's.")
    package static let forgetMissing = Flag(
        "forget-missing", help: "What the tenant has no receipt of becomes pending again.")
    package static let acceptChecksum = Flag(
        "accept-checksum", help: "What is done takes the manifest's checksum, without running.")
    package static let applied = Flag("applied", help: "It is done: nothing is run.")
    package static let retry = Flag("retry", help: "It is to be run again by the next apply.")
    package static let reason = Flag("reason", .text("TEXT"), help: "Why; kept with the act.")
    package static let confirmed = Flag("yes", short: "y", help: "Do not ask.")
    package static let all = Flag("all", help: "Everything on record, not only what is done.")
}

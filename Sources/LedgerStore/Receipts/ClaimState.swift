/// Names for the SQLSTATEs that claims and records raise.
package enum ClaimState: String, Sendable, CaseIterable {
    /// Somebody else holds the lock.
    case busy = "MU001"
    /// The script ended the transaction it ran in, or reset all settings.
    case leftTransaction = "MU002"
    /// The identity is done already.
    case done = "MU003"
    /// Done by a runner of the same run: the ledger may not know.
    case doneInRun = "MU010"
    /// Another runner has taken over.
    case superseded = "MU004"
    /// The target is not the one that was meant.
    case wrongTarget = "MU005"
    /// Done with another body.
    case drifted = "MU006"
    /// The end of its last attempt was not seen.
    case unseenEnd = "MU007"
    /// The receipt stands under another tenant's name.
    case foreignReceipt = "MU008"
    /// The ledger says done, and the tenant has no receipt of it: it was restored from an older backup.
    case missingReceipts = "MU009"
    /// To be undone, and a person declared it done: no run did it.
    case declared = "MU011"

    /// What is said with `busy`, `leftTransaction` and `superseded`, wherever they are raised.
    static let isBusy = "the lock is held by somebody else"
    static let hasLeft = "the script ended the transaction it ran in, or reset all settings"
    static let isSuperseded = "another runner has taken over this job"
}

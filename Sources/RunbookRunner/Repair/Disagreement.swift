import LedgerStore
import RunbookModel

/// Compares what the ledger and a tenant's receipts say of the same tenant, and decides what an action changes.
struct Disagreement {
    let tenant: String
    let records: [Identity: OwnedRecord]
    /// nil where the record is the receipt: in the ledger's own database.
    let receipts: [Receipt]?
    /// Of the manifest, in its order; only these have a body to compare with.
    let runbooks: [Runbook]
    /// Whether an identity is asked about.
    let isSelected: (Identity) -> Bool

    typealias Kind = RepairReport.Kind

    struct Finding {
        var identity: Identity
        var kind: Kind
        var detail: String?
        var record: OwnedRecord?
        var receipt: Receipt?
        /// The manifest's.
        var checksum: String?
    }

    var findings: [Finding] {
        let byIdentity = Dictionary((receipts ?? []).map { ($0.identity, $0) }, uniquingKeysWith: { $1 })
        let bodies = Dictionary(runbooks.map { ($0.identity, $0) }, uniquingKeysWith: { $1 })
        let order = Dictionary(uniqueKeysWithValues: runbooks.enumerated().map { ($1.identity, $0) })
        let identities = Set(records.keys).union(byIdentity.keys).filter(isSelected).sorted {
            let first = (order[$0] ?? .max, $0.description)
            let second = (order[$1] ?? .max, $1.description)
            return first < second
        }
        return identities.compactMap { identity in
            let record = records[identity]
            let receipt = byIdentity[identity]
            guard let (kind, detail) = verdict(record, receipt, bodies[identity]) else { return nil }
            return Finding(
                identity: identity, kind: kind, detail: detail, record: record, receipt: receipt,
                checksum: bodies[identity]?.checksum)
        }
    }

    private func verdict(
        _ record: OwnedRecord?, _ receipt: Receipt?, _ runbook: Runbook?
    ) -> (Kind, String?)? {
        let recordIsDone = record?.execution.state.isDone == true
        let receiptIsDone = receipt?.state.isDone == true
        if receipts != nil {
            if let receipt, receipt.tenant != tenant { return (.foreignReceipt, receipt.tenant) }
            // What was declared done by hand never had a receipt; what is about to run again has its old one.
            let isRerun = runbook?.onChange == .rerun && record?.execution.checksum != runbook?.checksum
            if record?.execution.state == .succeeded, !receiptIsDone, !isRerun {
                return (.missingReceipt, receipt?.state == .rolledBack ? "rolled back there" : nil)
            }
            if receiptIsDone, !recordIsDone { return (.missingRecord, nil) }
        }
        let theirs = [recordIsDone ? record?.execution.checksum : nil, receiptIsDone ? receipt?.checksum : nil]
            .compactMap(\.self)
        guard let first = theirs.first else { return nil }
        if runbook?.onChange == .fail, let body = runbook?.checksum, let other = theirs.first(where: { $0 != body }) {
            return (.changedBody, "done with \(other), the manifest has \(body)")
        }
        if let other = theirs.first(where: { $0 != first }) {
            return (.changedBody, "the ledger has \(first), the receipt \(other)")
        }
        return nil
    }
}

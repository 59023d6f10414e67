import DatabaseAccess
import LedgerStore

extension TenantConnection {
    /// Keeps a hook's process group with its attempt, so that it is found should this runner die. Where that fails, the
    /// hook's time limit is waited for instead.
    func note(_ ticket: ClaimTicket, group: Int32) {
        let place = receipts?.place(of: ticket) ?? SQLiteReceipts.place(of: ticket)
        do throws(DatabaseError) {
            try session.withTransaction(ReceiptBook.begin(session.dialect, isReadOnly: false)) {
                () throws(DatabaseError) in
                try place.note(group: group, start: HookGroup.start(of: group), runner: ticket.runner, in: session)
            }
        } catch {}
    }
}

import LedgerStore

extension Ledger {
    /// Seals until nothing is left, as a runner does.
    func sealAll(limit: Int = 500) throws {
        var last: String?
        repeat { last = try seal(after: last, limit: limit) } while last != nil
    }
}

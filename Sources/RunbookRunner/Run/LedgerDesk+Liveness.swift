import DatabaseAccess
import LedgerStore
import RunbookModel

/// A runner holds a key of its own while it lives, where it has a session or a lock file to hold it with: a runner that
/// is quiet and whose key is free is gone, which nobody has to guess from its silence.
extension LedgerDesk {
    /// Takes the runner's key; nil when there is nothing to hold it with.
    func takeKey(of runner: String) throws(DatabaseError) -> Int64? {
        guard let keys = try keyHolder() else { return nil }
        let key = LockKey.runner(runner)
        // Refused while the server has not noticed that an earlier connection of ours is gone; then at a later beat.
        holdsKey = try keys.tryLock(key, .exclusive)
        return key
    }

    /// Notes the end of those who are quiet and hold their key no more.
    func buryTheDead(of run: String) throws(DatabaseError) {
        guard let ledger, let keys = try keyHolder() else { return }
        for other in try ledger.quietRunners(of: run) where other.id != runner {
            guard try keys.tryLock(other.lockKey, .exclusive) else { continue }
            _ = try keys.unlock(other.lockKey, .exclusive)
            try ledger.buryRunner(other.id)
        }
    }

    /// Gives the jobs of those who are gone or silent back, now and then: whoever is at the end of a run looks often.
    ///
    /// - Returns: whether there were any.
    func lookForSilence(of run: String, in ledger: Ledger) throws(DatabaseError) -> Bool {
        guard ContinuousClock.now - lastBurial > .milliseconds(250) else { return false }
        lastBurial = .now
        try buryTheDead(of: run)
        return try ledger.releaseSilentRunners(of: run) > 0
    }

    func keyHolder() throws(DatabaseError) -> (any AdvisoryLocks)? {
        if let keys { return keys }
        guard let ledger, place?.isPooled != true else { return nil }
        let made: any AdvisoryLocks =
            switch ledger.dialect {
            case .postgresql: SessionAdvisoryLocks(on: ledger.session)
            case .sqlite: try opener.openLockFile(beside: try ConnectionURL(parsing: manifestLedger.url.revealed))
            }
        keys = made
        return made
    }
}

/// How a key is held.
package enum LockMode: String, Sendable {
    case shared
    case exclusive
}

/// A holder of locks that die with it: a PostgreSQL session, or one descriptor of the lock file. One thread owns it.
package protocol AdvisoryLocks: AnyObject {
    /// Tries to take a key; never waits.
    func tryLock(_ key: Int64, _ mode: LockMode) throws(DatabaseError) -> Bool
    /// Gives a key back. False when it was not held, which means that it was lost.
    func unlock(_ key: Int64, _ mode: LockMode) throws(DatabaseError) -> Bool
    /// Asks whether this holder still has the key.
    func holds(_ key: Int64, _ mode: LockMode) throws(DatabaseError) -> Bool
}

private import CSystem
package import DatabaseAccess
private import Glibc
private import Groundwork

/// The lock file `<ledger>-locks` as one holder of locks: one open file description, whose locks die with it.
///
/// A key is one byte of the file, locked by F_OFD_SETLK (fcntl(2), "Open file description locks"): its offset is the key
/// with the sign bit cleared. Keys are counted as PostgreSQL's session locks are: a holder that took a key twice gives it
/// back twice, and one that has it both shared and exclusive keeps the other when it gives one back. The file is never
/// deleted, and must not be on a network file system. One thread owns a holder.
package final class LockFile: AdvisoryLocks {
    private let descriptor: Descriptor
    private let path: String
    private var held: [Int64: Holding] = [:]

    private struct Holding {
        var shared = 0
        var exclusive = 0

        /// The lock that covers both.
        var type: Int32 { exclusive > 0 ? F_WRLCK : shared > 0 ? F_RDLCK : F_UNLCK }

        subscript(_ mode: LockMode) -> Int {
            get { mode == .shared ? shared : exclusive }
            set { if mode == .shared { shared = newValue } else { exclusive = newValue } }
        }
    }

    /// Opens the file beside a ledger, and creates it and its folder when they are missing.
    ///
    /// - Throws: `.unreachable`, or `.rejected` when permission is missing.
    package init(beside ledger: ConnectionURL) throws(DatabaseError) {
        let file = try SQLiteFile(ledger)
        try file.createFolder()
        path = file.path + "-locks"
        descriptor = try Descriptor(opening: path)
    }

    package func tryLock(_ key: Int64, _ mode: LockMode) throws(DatabaseError) -> Bool {
        let before = held[key, default: Holding()]
        var after = before
        after[mode] += 1
        // A conversion that is refused leaves the lock that is there.
        guard try set(key, after.type) else { return false }
        held[key] = after
        guard isFileInPlace else {
            held[key] = before
            _ = try set(key, before.type)
            throw DatabaseError(
                .connectionLost, "the lock file \(path) was deleted or replaced while it was in use",
                hint: "never delete it; start again")
        }
        return true
    }

    package func unlock(_ key: Int64, _ mode: LockMode) throws(DatabaseError) -> Bool {
        guard var holding = held[key], holding[mode] > 0 else { return false }
        let before = holding.type
        holding[mode] -= 1
        held[key] = holding.type == F_UNLCK ? nil : holding
        if holding.type != before { _ = try set(key, holding.type) }
        return isFileInPlace
    }

    package func holds(_ key: Int64, _ mode: LockMode) throws(DatabaseError) -> Bool {
        (held[key]?[mode] ?? 0) > 0 && isFileInPlace
    }

    /// False when somebody else has a conflicting lock.
    private func set(_ key: Int64, _ type: Int32) throws(DatabaseError) -> Bool {
        let code = muster_try_byte_lock(descriptor.number, Int16(type), key & .max)
        switch code {
        case 0: return true
        case EAGAIN, EACCES: return false
        default:
            throw DatabaseError(.statement, "the lock file \(path) cannot be locked: \(String(systemError: code))")
        }
    }

    /// Whether the path still leads to the file that the locks are on: a second file would have a second set of locks.
    private var isFileInPlace: Bool { descriptor.isFile(at: path) }
}

/// An open file, closed with its owner.
private struct Descriptor: ~Copyable {
    let number: Int32

    init(opening path: String) throws(DatabaseError) {
        number = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard number >= 0 else {
            let code = errno
            throw DatabaseError(
                code == EACCES || code == EPERM || code == EROFS ? .rejected : .unreachable,
                "the lock file \(path) cannot be opened: \(String(systemError: code))")
        }
    }

    deinit { close(number) }

    func isFile(at path: String) -> Bool {
        guard let own = FileIdentity(descriptor: number) else { return false }
        return FileIdentity(path: path) == own
    }
}

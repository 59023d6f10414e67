internal import DatabaseAccess
private import Glibc
internal import Groundwork
private import Synchronization

/// A use of a file by this process, given back with its owner.
///
/// SQLite shares one shared-memory handle among all connections of a process to a file: a writer that came while a session
/// reads beside a write-ahead log, whose shared memory it must not write, would be refused every write. So the two uses
/// exclude each other inside the process; other processes are none of their business.
struct FileUse: ~Copyable {
    enum Kind {
        case writing
        case readingLog
    }

    private struct Counts {
        var writing = 0
        var readingLog = 0
    }

    private static let uses = Mutex<[FileIdentity: Counts]>([:])

    private let file: FileIdentity
    private let kind: Kind

    /// nil while the file is used in the other way.
    init?(_ file: FileIdentity, _ kind: Kind) {
        let isTaken = Self.uses.withLock { uses in
            var counts = uses[file, default: Counts()]
            switch kind {
            case .writing where counts.readingLog == 0: counts.writing += 1
            case .readingLog where counts.writing == 0: counts.readingLog += 1
            default: return false
            }
            uses[file] = counts
            return true
        }
        guard isTaken else { return nil }
        self.file = file
        self.kind = kind
    }

    /// Waits, for `patience` at most, until nobody in this process reads beside the file's log.
    static func write(_ file: FileIdentity, patience: Duration) throws(DatabaseError) -> FileUse {
        let deadline = ContinuousClock.now + patience
        while true {
            if let use = FileUse(file, .writing) { return use }
            guard ContinuousClock.now < deadline else {
                throw DatabaseError(.busy, "this process is still reading the file beside its write-ahead log")
            }
            usleep(2000)
        }
    }

    deinit {
        Self.uses.withLock { uses in
            guard var counts = uses[file] else { return }
            switch kind {
            case .writing: counts.writing -= 1
            case .readingLog: counts.readingLog -= 1
            }
            uses[file] = counts.writing + counts.readingLog > 0 ? counts : nil
        }
    }
}

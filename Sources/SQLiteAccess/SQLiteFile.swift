private import CSQLite
private import CSystem
internal import DatabaseAccess
private import FoundationEssentials
private import Glibc
private import Groundwork

/// The file behind a URL: how it is to be opened, and why it cannot be.
struct SQLiteFile {
    /// Absolute, or beginning with `./`, so that SQLite sees no `:memory:` and no `file:` in it.
    let path: String

    init(_ url: ConnectionURL) throws(DatabaseError) {
        guard url.dialect == .sqlite, let path = url.path, !path.isEmpty, !path.utf8.contains(0) else {
            throw DatabaseError(.misuse, "not the path of a SQLite file: \(url)")
        }
        self.path = path.hasPrefix("/") ? path : "./" + path
    }

    func createFolder() throws(DatabaseError) {
        let folder = URL(filePath: path).deletingLastPathComponent()
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            let cause = ((error as? CocoaError)?.underlying as? POSIXError).map {
                String(systemError: $0.code.rawValue)
            }
            throw DatabaseError(.unreachable, "the folder \(folder.path) cannot be created: \(cause ?? "\(error)")")
        }
    }

    /// How to read without leaving a trace.
    enum Reading: Equatable {
        /// Opened for writing too: SQLite makes the empty `-wal` and `-shm` that a cleanly closed WAL file needs, and
        /// the last connection removes them.
        case plain
        /// A write-ahead log with content, of a program that runs or of one that crashed: the log is read, nothing is
        /// recovered and `-shm` is not written (https://www.sqlite.org/wal.html#read_only_databases).
        case besideLog
        /// A rollback journal: SQLite reads if its writer lives, and refuses (SQLITE_READONLY_ROLLBACK) if it is hot.
        case besideJournal
        case needsRecovery
    }

    var reading: Reading {
        // The neighbours stand beside the file itself, not beside a link to it.
        let real = URL(filePath: path).resolvingSymlinksInPath().path
        let log = Self.size(real + "-wal") ?? 0
        let journal = Self.size(real + "-journal") ?? 0
        if log == 0, journal == 0 { return .plain }
        // SQLite deletes what stands beside an empty file.
        if Self.size(real) == 0 { return .needsRecovery }
        guard log > 0 else { return .besideJournal }
        return Self.size(real + "-shm") == nil ? .needsRecovery : .besideLog
    }

    /// Whether the write-ahead log is there and empty.
    var hasEmptyLog: Bool {
        Self.size(URL(filePath: path).resolvingSymlinksInPath().path + "-wal") == 0
    }

    /// The file as a URI that keeps SQLite from writing to the shared memory.
    var readingURI: String {
        let absolute = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
        return "file:\(PercentEncoding.encoded(absolute, keeping: [UInt8(ascii: "/")]))?readonly_shm=1"
    }

    /// What is wrong with the file, in words, when it could not be opened.
    func explain(_ error: DatabaseError) -> DatabaseError {
        var error = error
        let status = Self.status(path)
        switch error.code {
        case .unreachable where status == nil:
            error.message = "no such file: \(path)"
            error.hint = "Put the file back, or take the tenant out of the source, then run the same command again."
        case .unreachable where (status?.st_mode ?? 0) & S_IFMT == S_IFDIR:
            error.message = "\(path) is a folder, not a SQLite file"
            error.hint = "Put the file back in its place, then run the same command again."
        case .unreachable where unsafe access(path, R_OK) != 0:
            error = DatabaseError(
                .rejected, "no permission to read \(path)", engineCode: error.engineCode,
                hint: "Let this user read and write the file and its folder, then run the same command again.")
        case .unreachable:
            error.message = "\(path): \(error.message)"
            error.hint = "Look whether this user may write the file and its folder, then run the same command again."
        case .connectionLost:
            error.code = .unreachable
            error.message = "\(path): \(error.message)"
        default: error.message = "\(path): \(error.message)"
        }
        return error
    }

    private static func size(_ path: String) -> Int? {
        status(path).map { Int($0.st_size) }
    }

    private static func status(_ path: String) -> stat? {
        var status = stat()
        return unsafe stat(path, &status) == 0 ? status : nil
    }
}

private import Glibc
import RunbookModel

/// The bytes of a regular file, of limited size.
enum TextFile {
    /// More than this goes to no server in one message (PostgreSQL takes 1 GB) and into no review.
    static let largest = 64 * 1024 * 1024

    /// Why a file cannot be used, as the end of a sentence about it.
    struct Problem: Error, Hashable {
        var message: String
        var remedy: String?
        var line: Int?
        /// Whether there is no such file.
        var isMissing = false
    }

    /// The file's bytes as they are.
    ///
    /// Only regular files are opened: a pipe or a device might never end.
    static func bytes(at path: String) throws(Problem) -> [UInt8] {
        // By the system's own calls: Foundation would look up the names of the file's owner and group as well.
        // Without waiting: a pipe that nobody writes to is no file either.
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw problem(errno) }
        defer { close(file) }
        var status = stat()
        guard unsafe fstat(file, &status) == 0 else { throw problem(errno) }
        switch status.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: throw Problem(message: "is a folder, not a file")
        default: throw Problem(message: "is no regular file")
        }
        if status.st_size > largest { throw tooLarge }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: max(1, min(Int(status.st_size) + 1, 1 << 16)))
        while true {
            let count = unsafe read(file, &piece, piece.count)
            if count > 0 { bytes += piece[..<count] }
            if count == 0 { return bytes }
            guard count > 0 || errno == EINTR else { throw problem(errno) }
            if bytes.count > largest { throw tooLarge }
        }
    }

    private static let tooLarge = Problem(message: "is larger than \(largest / 1024 / 1024) MB")

    /// What a number of errno(3) comes to.
    private static func problem(_ number: Int32) -> Problem {
        switch number {
        case ENOENT, ENOTDIR, ENAMETOOLONG, ELOOP: Problem(message: "no such file", isMissing: true)
        case EACCES: Problem(message: "no permission to read it")
        case ENXIO: Problem(message: "is no regular file")
        default: Problem(message: "cannot be read (\(unsafe String(cString: strerror(number))))")
        }
    }

    /// The file's text without a byte order mark and with LF line ends.
    static func text(at path: String) throws(Problem) -> String {
        let bytes = try bytes(at: path)
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            throw Problem(message: "is UTF-16", remedy: "save it as UTF-8", line: 1)
        }
        let normalized = Checksum.normalized(bytes)
        if let text = String(validating: normalized, as: UTF8.self) { return text }
        throw Problem(message: "is not valid UTF-8", remedy: "save it as UTF-8", line: firstInvalidLine(normalized))
    }

    private static func firstInvalidLine(_ bytes: [UInt8]) -> Int? {
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        return lines.firstIndex { String(validating: $0, as: UTF8.self) == nil }.map { $0 + 1 }
    }
}

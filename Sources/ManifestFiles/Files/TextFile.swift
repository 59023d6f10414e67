import Foundation
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
        // resourceValues and attributesOfItem look at a link itself; this follows it.
        let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        let attributes: [FileAttributeKey: Any]
        do {
            attributes = try FileManager.default.attributesOfItem(atPath: target)
        } catch let error as CocoaError where error.code == .fileReadNoPermission {
            throw Problem(message: "no permission to read it")
        } catch {
            throw Problem(message: "no such file", isMissing: true)
        }
        switch attributes[.type] as? FileAttributeType {
        case .typeRegular: break
        case .typeDirectory: throw Problem(message: "is a folder, not a file")
        default: throw Problem(message: "is no regular file")
        }
        if let size = attributes[.size] as? Int, size > largest {
            throw Problem(message: "is larger than \(largest / 1024 / 1024) MB")
        }
        do {
            return try [UInt8](Data(contentsOf: URL(fileURLWithPath: target)))
        } catch let error as CocoaError where error.code == .fileReadNoPermission {
            throw Problem(message: "no permission to read it")
        } catch {
            throw Problem(message: "cannot be read (\(error.localizedDescription))")
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

import FoundationEssentials
private import Glibc
import Groundwork
import Reporting
import RunbookModel

/// A file that a command writes besides stdout: whole or not at all, and piece by piece.
struct DocumentFile {
    let path: String

    /// - Parameter flag: what named it.
    /// - Throws: when there is no folder that it can be written to: before anything runs.
    init(_ written: String, flag: String, _ arguments: ParsedArguments, _ context: CommandContext) throws(UsageError) {
        let path = context.path(written)
        // A link stays a link: the file that it leads to is the one that is written.
        let isOwn = !path.hasPrefix("/dev/") && !path.hasPrefix("/proc/")
        self.path = isOwn ? URL(filePath: path).resolvingSymlinksInPath().path : path
        let folder = URL(filePath: path).deletingLastPathComponent().path
        guard isDevice || FileManager.default.isWritableFile(atPath: folder) else {
            throw UsageError("\(flag): there is no folder \(folder) to write to.", command: arguments.command.name)
        }
    }

    /// Something that is there and is no file of its own (`/dev/stderr`, a pipe) is written to, never replaced.
    private var isDevice: Bool {
        guard !path.hasPrefix("/dev/"), !path.hasPrefix("/proc/") else { return true }
        let kind = try? FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
        return kind != nil && kind != .typeRegular && kind != .typeDirectory
    }

    /// - Parameter body: is given what writes one more piece.
    func write(_ body: ((String) -> Void) throws -> Void) throws {
        let isDevice = isDevice
        let draft = isDevice ? path : path + ".\(ProcessInfo.processInfo.processIdentifier).tmp"
        if !isDevice, !FileManager.default.createFile(atPath: draft, contents: nil) { throw failure() }
        guard let file = OutputFile(draft) else { throw failure() }
        // A device that is a file after all (`>log`) keeps what is in it; a pipe has no end to seek.
        if isDevice { file.seekToEnd() }
        do {
            var problem: Problem?
            try body { piece in
                if problem == nil, !file.write(piece) { problem = failure() }
            }
            if let problem { throw problem }
            // rename(2): whoever reads meanwhile sees the file before, or this one.
            if !isDevice, unsafe rename(draft, path) != 0 { throw failure() }
        } catch {
            if !isDevice { try? FileManager.default.removeItem(atPath: draft) }
            throw error
        }
    }

    private func failure() -> Problem {
        let reason = String(systemError: errno)
        return Problem("file", "\(path): \(reason)", .failed)
    }
}

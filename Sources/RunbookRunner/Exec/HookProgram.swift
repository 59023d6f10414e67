private import FoundationEssentials
private import Glibc

/// Finds the file of a hook the way `execvp` would, with the hook's own PATH and folder.
enum HookProgram {
    /// - Parameters:
    ///   - name: absolute, relative to `folder` when it has a slash, else looked for in `path`.
    ///   - path: the hook's PATH; nil means the system's default.
    /// - Returns: an absolute path of an executable file.
    static func locate(_ name: String, path: String?, folder: String) throws(HookError) -> String {
        if name.contains("/") {
            let file = absolute(name, in: folder)
            switch kind(of: file) {
            case .executable: return file
            case .missing:
                throw HookError(.notFound, "the hook \(name) does not exist (looked for \(file))")
            case .folder: throw HookError(.notExecutable, "the hook \(name) is a folder, not a program")
            case .plain:
                throw HookError(.notExecutable, "the hook \(name) is not executable; run: chmod +x \(file)")
            }
        }
        let folders = (path ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":", omittingEmptySubsequences: false)
        for entry in folders {
            let file = absolute(entry.isEmpty ? name : "\(entry)/\(name)", in: folder)
            if kind(of: file) == .executable { return file }
        }
        throw HookError(
            .notFound, "the hook \(name) is in no folder of PATH; write ./\(name) for one beside the manifest")
    }

    private enum Kind {
        case missing
        case folder
        case plain
        case executable
    }

    private static func kind(of file: String) -> Kind {
        var status = stat()
        guard unsafe stat(file, &status) == 0 else { return .missing }
        if status.st_mode & S_IFMT == S_IFDIR { return .folder }
        return unsafe access(file, X_OK) == 0 ? .executable : .plain
    }

    private static func absolute(_ path: String, in folder: String) -> String {
        path.hasPrefix("/") ? path : folder + "/" + path
    }
}

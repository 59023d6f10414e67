import FoundationEssentials
private import Glibc
import Groundwork
package import RunbookModel

/// A glob whose matches are tenants, each a SQLite file: `tenants/*.db`.
package struct FilePattern: Sendable {
    /// As the manifest gives it: `*`, `?` and `[…]` match within one folder, as glob(7) says.
    package let pattern: String
    /// What relative patterns start from, absolute.
    package let folder: String

    package init(_ pattern: String, in folder: String) {
        self.pattern = pattern
        self.folder = folder
    }

    /// The matches by name: an id is the file's name without its last extension. A folder that is named as the files are
    /// is a tenant whose file somebody has replaced: it is not passed over, and fails when its turn comes.
    ///
    /// - Parameter ledger: the path of the ledger's own file, which never is a tenant; nil when it is none.
    package func tenants(besides ledger: String?) throws(TenantFinding) -> [Tenant] {
        guard !pattern.contains("**") else {
            throw TenantFinding(
                .source, "\"**\" in the pattern \(pattern.debugDescription) is not supported",
                remedy: "name each folder level with *")
        }
        let own = ledger.flatMap { FileIdentity(path: $0) }
        var tenants: [Tenant] = []
        for path in try matches() where !isBesideADatabase(path) {
            guard own == nil || FileIdentity(path: path) != own else { continue }
            let name = path.split(separator: "/").last.map(String.init) ?? path
            let stem = name.dropFirst().lastIndex(of: ".").map { String(name[..<$0]) } ?? name
            let url = "sqlite:" + PercentEncoding.encoded(path, keeping: [UInt8(ascii: "/")])
            tenants.append(Tenant(id: stem, url: Redacted(url)))
        }
        return tenants
    }

    private var namesExtension: Bool { pattern.split(separator: "/").last?.contains(".") == true }

    /// What SQLite and Muster keep beside a database.
    private func isBesideADatabase(_ path: String) -> Bool {
        ["-wal", "-shm", "-journal", "-locks"].contains { path.hasSuffix($0) }
    }

    /// Absolute paths of the files that match, sorted by their bytes.
    private func matches() throws(TenantFinding) -> [String] {
        var found = unsafe glob_t()
        defer { unsafe globfree(&found) }
        // GLOB_MARK puts a slash behind folders, which are no tenants. GLOB_ERR: a folder that cannot be read must not
        // look like one without tenants.
        let status = unsafe glob(absolute, GLOB_MARK | GLOB_NOSORT | GLOB_ERR, nil, &found)
        guard status == 0 || status == GLOB_NOMATCH else {
            throw TenantFinding(
                .source, "the files of \(pattern.debugDescription) cannot be listed",
                remedy: "look whether the folder is there and may be read")
        }
        var paths: [String] = []
        for index in 0..<Int(unsafe found.gl_pathc) {
            guard let bytes = unsafe found.gl_pathv[index] else { continue }
            guard let path = unsafe String(validatingCString: bytes) else {
                throw TenantFinding(
                    .source, "a file that matches \(pattern.debugDescription) has a name that is not UTF-8",
                    remedy: "rename it")
            }
            if !path.hasSuffix("/") {
                paths.append(path)
            } else if namesExtension {
                paths.append(String(path.dropLast()))
            }
        }
        return paths.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// The pattern from the root on; nothing in the folder's own name is special.
    private var absolute: String {
        guard !pattern.hasPrefix("/") else { return pattern }
        var escaped = ""
        for character in folder.unicodeScalars {
            if "*?[]\\".unicodeScalars.contains(character) { escaped.append("\\") }
            escaped.unicodeScalars.append(character)
        }
        var relative = pattern[...]
        while relative.hasPrefix("./") { relative = relative.dropFirst(2) }
        return escaped + (escaped.hasSuffix("/") ? "" : "/") + relative
    }
}

import FoundationEssentials
import RunbookModel

/// The folder that a manifest's paths start from, and the files in it that were read.
///
/// Each file is read once: what is checked, what is hashed and what is run are the same bytes.
final class ManifestFolder {
    /// Absolute, without a slash at its end unless it is the root.
    let path: String
    private var texts: [String: Result<String, TextFile.Problem>] = [:]
    /// What the digest covers: each file as the manifest names it, and its checksum.
    private(set) var checksums: [String: String] = [:]

    /// The folder of a manifest; a relative path starts from the working folder.
    init(ofManifest manifest: String) {
        let absolute =
            manifest.hasPrefix("/") ? manifest : FileManager.default.currentDirectoryPath + "/" + manifest
        let folder = absolute[..<(absolute.lastIndex(of: "/") ?? absolute.startIndex)]
        path = folder.isEmpty ? "/" : String(folder)
    }

    func absolute(_ name: String) -> String {
        if name.hasPrefix("/") { return name }
        var name = name[...]
        while name.hasPrefix("./") { name = name.dropFirst(2) }
        return (path == "/" ? "" : path) + "/" + name
    }

    /// A file's text, normalised.
    func text(of name: String) throws(TextFile.Problem) -> String {
        let result =
            texts[name]
            ?? Result { () throws(TextFile.Problem) in
                try TextFile.text(at: absolute(name))
            }
        texts[name] = result
        let text = try result.get()
        checksums[name] = Checksum.of(text)
        return text
    }

    /// The checksum of a program that lies in this folder; nil when it lies elsewhere.
    ///
    /// - Throws: when it is not there, is no file or may not be executed.
    func programChecksum(_ name: String) throws(TextFile.Problem) -> String? {
        let bytes = try TextFile.bytes(at: absolute(name))
        guard FileManager.default.isExecutableFile(atPath: absolute(name)) else {
            throw TextFile.Problem(message: "may not be executed", remedy: "chmod +x \(name)")
        }
        guard isInside(name) else { return nil }
        let checksum = Checksum.of(Checksum.normalized(bytes))
        checksums[name] = checksum
        return checksum
    }

    private func isInside(_ name: String) -> Bool {
        guard !name.hasPrefix("/") || name.hasPrefix(path + "/") else { return false }
        var depth = 0
        for part in name.dropFirst(name.hasPrefix("/") ? path.count : 0).split(separator: "/") where part != "." {
            depth += part == ".." ? -1 : 1
            if depth < 0 { return false }
        }
        return true
    }

    /// The file that was probably meant, as the manifest would name it.
    func nearest(to name: String) -> String? {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        let parent = parts.dropLast().joined(separator: "/")
        let folder = parent.isEmpty ? (name.hasPrefix("/") ? "/" : path) : absolute(parent)
        guard let last = parts.last, let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
            return nil
        }
        return NearestName.of(String(last), in: names.sorted()).map {
            (parts.dropLast() + [$0[...]]).joined(separator: "/")
        }
    }
}

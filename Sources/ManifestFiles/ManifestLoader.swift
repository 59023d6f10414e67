/// Reads a manifest with everything that it names, and checks all of it without a database.
package enum ManifestLoader {
    /// A manifest is written by hand; what is larger than this is something else.
    private static let largest = 8 * 1024 * 1024

    /// - Parameters:
    ///   - path: as the user named it; its folder is where the manifest's own paths start.
    ///   - environment: where `${NAME}` comes from, and `DATABASE_URL` and `DIRECT_URL` for what the ledger leaves out.
    /// - Throws: everything that is wrong, at once. Nothing in it came out of the environment.
    package static func load(path: String, environment: [String: String]) throws(ManifestError) -> LoadedManifest {
        let folder = ManifestFolder(ofManifest: path)
        let text: String
        do throws(TextFile.Problem) {
            text = try TextFile.text(at: path)
        } catch {
            throw ManifestError(error.isMissing ? .missing : .unreadable, [unreadable(path, error, in: folder)])
        }
        guard text.utf8.count <= largest else {
            let problem = TextFile.Problem(message: "is larger than \(largest / 1024 / 1024) MB")
            throw ManifestError(.unreadable, [unreadable(path, problem, in: folder)])
        }
        return try decode(text, path: path, folder: folder, environment: environment)
    }

    private static func unreadable(
        _ path: String, _ problem: TextFile.Problem, in folder: ManifestFolder
    ) -> ManifestDiagnostic {
        var remedy = problem.remedy
        if problem.isMissing {
            let nearest = folder.nearest(to: path.split(separator: "/").last.map(String.init) ?? path)
            remedy = nearest.map { "did you mean \"\($0)\"?" } ?? "begin with muster init, or name another file"
        }
        return ManifestDiagnostic(
            file: path, place: problem.line.map { TextPlace(line: $0, column: 1) }, message: problem.message,
            remedy: remedy)
    }

    /// The part of the work that begins with the text: any text gives a manifest or an error.
    static func decode(
        _ text: String, path: String, folder: ManifestFolder, environment: [String: String]
    ) throws(ManifestError) -> LoadedManifest {
        let log = DiagnosticLog(file: path, text: text)
        let tree: JSONNode
        do throws(JSONSyntaxError) {
            tree = try JSONParser.parse(text)
        } catch {
            log.report(error.message, at: error.offset, path: "")
            throw ManifestError(.syntax, log.errors)
        }
        let decoder = ManifestDecoder(log: log, folder: folder, environment: environment)
        let manifest = decoder.manifest(from: tree, text: text)
        guard let manifest, log.errors.isEmpty else { throw ManifestError(.invalid, log.sorted(log.errors)) }
        return LoadedManifest(manifest: manifest, warnings: log.sorted(log.warnings))
    }
}

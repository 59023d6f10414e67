import ManifestFiles
import Reporting
import RunbookModel

/// `muster validate`: encodes as `muster.validate/1`.
struct ValidationAnswer: TextAnswer {
    let schema = "muster.validate/1"
    let command = "validate"
    var ok: Bool
    var exitCode: Int
    /// As the user named it; null when there is none.
    var manifest: String?
    /// How many there are; null when it could not be read.
    var runbooks: Int?
    var phases: Int?
    var errors: [Finding] = []
    var warnings: [Finding] = []
    var error: ReportError?

    struct Finding: Encodable {
        var file: String
        var line: Int?
        var column: Int?
        /// `runbooks[2].after[0]`; empty for the whole file.
        var path: String
        var message: String
        var remedy: String?

        /// `muster.json5:12: runbooks[2].phase: unknown phase "pre-depoy"; did you mean "pre-deploy"?`
        var text: String {
            file + (line.map { ":\($0)" } ?? "") + (path.isEmpty ? "" : ": \(path)") + ": \(message)"
                + (remedy.map { "; \($0)" } ?? "")
        }
    }

    init(_ loaded: LoadedManifest, masker: Masker) {
        ok = true
        exitCode = Int(ExitStatus.done.rawValue)
        manifest = loaded.manifest.source.path
        runbooks = loaded.manifest.runbooks.count
        phases = Set(loaded.manifest.runbooks.map(\.phase)).count
        warnings = loaded.warnings.map { Finding($0, masker) }
    }

    init(_ error: ManifestError, masker: Masker) {
        ok = false
        exitCode = Int(ExitStatus.refused.rawValue)
        manifest = error.code == .missing ? nil : error.diagnostics.first?.file
        errors = error.diagnostics.map { Finding($0, masker) }
        let count = Phrase.counted(errors.count, "error")
        self.error = ReportError(code: "manifest", message: "The manifest has \(count).")
    }

    func lines(_ layout: TextLayout) -> [String] {
        let style = layout.style
        let findings =
            errors.map { style.bad("error: ") + $0.text.printable }
            + warnings.map { style.warning("warning: ") + $0.text.printable }
        guard ok, let manifest, let runbooks, let phases else { return findings }
        let counts = "\(Phrase.counted(runbooks, "runbook")), \(Phrase.counted(phases, "phase"))"
        return findings + ["\(manifest.printable): valid. \(counts)."]
    }
}

extension ValidationAnswer.Finding {
    init(_ diagnostic: ManifestDiagnostic, _ masker: Masker) {
        self.init(
            file: diagnostic.file, line: diagnostic.place?.line, column: diagnostic.place?.column,
            path: diagnostic.path, message: masker(diagnostic.message), remedy: masker(diagnostic.remedy))
    }
}

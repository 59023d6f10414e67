/// Gathers what is found while a manifest is read. One thread owns it.
final class DiagnosticLog {
    /// The manifest as the user named it.
    let file: String
    private let lines: TextLines
    private(set) var errors: [ManifestDiagnostic] = []
    private(set) var warnings: [ManifestDiagnostic] = []
    private var said: Set<ManifestDiagnostic> = []

    init(file: String, text: String) {
        self.file = file
        lines = TextLines(text)
    }

    func place(ofByte offset: Int) -> TextPlace { lines.place(ofByte: offset) }

    func report(_ message: String, at offset: Int, path: String, remedy: String? = nil) {
        report(diagnostic(message, at: offset, path: path, remedy: remedy))
    }

    /// The same thing, found twice, is said once.
    func report(_ diagnostic: ManifestDiagnostic) {
        if said.insert(diagnostic).inserted { errors.append(diagnostic) }
    }

    func warn(_ message: String, at offset: Int, path: String, remedy: String? = nil) {
        warn(diagnostic(message, at: offset, path: path, remedy: remedy))
    }

    func warn(_ diagnostic: ManifestDiagnostic) {
        if said.insert(diagnostic).inserted { warnings.append(diagnostic) }
    }

    private func diagnostic(_ message: String, at offset: Int, path: String, remedy: String?) -> ManifestDiagnostic {
        ManifestDiagnostic(file: file, place: place(ofByte: offset), path: path, message: message, remedy: remedy)
    }

    /// The manifest's own by place, then other files' by name and place; equal places keep their order.
    func sorted(_ diagnostics: [ManifestDiagnostic]) -> [ManifestDiagnostic] {
        let start = TextPlace(line: 0, column: 0)
        return diagnostics.enumerated().sorted { left, right in
            let (l, r) = (left.element, right.element)
            let isLeftManifest = l.file == file
            if isLeftManifest != (r.file == file) { return isLeftManifest }
            if l.file != r.file { return l.file < r.file }
            return (l.place ?? start, left.offset) < (r.place ?? start, right.offset)
        }.map(\.element)
    }
}

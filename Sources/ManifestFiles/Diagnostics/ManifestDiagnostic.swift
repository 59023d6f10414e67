/// One thing that is wrong with a manifest or with a file that it names, and what to do about it.
package struct ManifestDiagnostic: Sendable, Hashable {
    /// The manifest as the user named it, or a file as the manifest names it.
    package var file: String
    package var place: TextPlace?
    /// Where in the manifest, `runbooks[2].after[0]`; empty for the whole, and for findings inside other files.
    package var path: String
    package var message: String
    /// What to do next: a sentence's end such as `did you mean "pre-deploy"?`.
    package var remedy: String?

    package init(file: String, place: TextPlace? = nil, path: String = "", message: String, remedy: String? = nil) {
        self.file = file
        self.place = place
        self.path = path
        self.message = message
        self.remedy = remedy
    }
}

extension ManifestDiagnostic: CustomStringConvertible {
    /// One line: `muster.json5:12: runbooks[2].phase: unknown phase "pre-depoy"; did you mean "pre-deploy"?`
    package var description: String {
        var text = file
        if let place { text += ":\(place.line)" }
        if !path.isEmpty { text += ": \(path)" }
        text += ": \(message)"
        if let remedy { text += "; \(remedy)" }
        return text
    }
}

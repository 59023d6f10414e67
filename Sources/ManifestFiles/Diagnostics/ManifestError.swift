/// Why a manifest is refused: everything that is wrong with it, at once.
package struct ManifestError: Error, Sendable, Hashable {
    package enum Code: String, Sendable, Hashable {
        /// There is no manifest to read.
        case missing
        /// It is there and cannot be read as text.
        case unreadable
        /// It is no JSON5.
        case syntax
        /// It was read, and says something that cannot be done.
        case invalid
    }

    package var code: Code
    /// At least one; those of the manifest itself first, each file's by place.
    package var diagnostics: [ManifestDiagnostic]

    package init(_ code: Code, _ diagnostics: [ManifestDiagnostic]) {
        self.code = code
        self.diagnostics = diagnostics
    }
}

extension ManifestError: CustomStringConvertible {
    /// One line for each diagnostic.
    package var description: String { diagnostics.map(\.description).joined(separator: "\n") }
}

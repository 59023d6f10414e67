package import RunbookModel

/// A valid manifest, and what should be read before it is relied on.
package struct LoadedManifest: Sendable {
    package var manifest: Manifest
    /// Nothing that stops a run.
    package var warnings: [ManifestDiagnostic]
}

package import RunbookModel

/// What a run is, before it has a row.
package struct RunDraft: Sendable {
    /// `sha256:<hex>` over workspace, phase, selection and manifest digest: unique while a run is open.
    package var identity: String
    package var kind: RunKind
    /// A rollback of what one run has done: that run.
    package var undoes: String?
    package var phase: String?
    /// As a person would read it.
    package var selection: String
    package var stages: Int
    /// Names of the waves, in order; empty where there are none.
    package var waves: [String]
    package var source: ManifestSource
    package var release: String?
    package var revision: String?
    package var door: String
    package var initiator: Initiator
    /// Whether hooks are to be started once it is complete.
    package var hasFinalHooks: Bool
    /// Fingerprint of the saved plan that is applied: the run is exactly that, or is not begun.
    package var plan: String?
    /// The run whose rest it does, when a person asked for that.
    package var retryOf: String?

    package init(
        identity: String, kind: RunKind = .apply, undoes: String? = nil, phase: String?, selection: String,
        stages: Int, waves: [String] = [], source: ManifestSource, release: String?,
        revision: String?, door: String, initiator: Initiator, hasFinalHooks: Bool = false
    ) {
        self.identity = identity
        self.kind = kind
        self.undoes = undoes
        self.phase = phase
        self.selection = selection
        self.stages = stages
        self.waves = waves
        self.source = source
        self.release = release
        self.revision = revision
        self.door = door
        self.initiator = initiator
        self.hasFinalHooks = hasFinalHooks
    }
}

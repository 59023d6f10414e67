import RunbookModel
import Testing

@Suite struct RetryScopeTests {
    private static let listed = [
        ListedRunbook(identity: Identity(runbook: "a", key: "1"), phase: "pre"),
        ListedRunbook(identity: Identity(runbook: "b", key: "2"), phase: "post"),
        ListedRunbook(identity: Identity(runbook: "once", key: "1"), phase: "post", scope: .workspace),
    ]

    private static func runbook(_ id: String, _ key: String) -> Runbook {
        Runbook(
            id: id, key: key, phase: "pre", action: .exec(HookCommand(arguments: ["true"], timeout: .seconds(1))),
            checksum: "sha256:a")
    }

    private static func scope(
        phase: String? = nil, _ selection: Selection = Selection(), retryOf: String? = nil,
        manifest: [Runbook] = [runbook("a", "1"), runbook("b", "2"), runbook("once", "1"), runbook("new", "1")],
        onlyWorkspace: Bool = false
    ) -> RetryScope {
        RetryScope(
            listed: listed, phase: phase, selection: RetryScope.words(of: selection, retryOf: retryOf),
            manifest: manifest, onlyWorkspace: onlyWorkspace)
    }

    /// Guarantee: what the run was asked to do is done again, and nothing that the manifest has gained since.
    @Test func runbooksAreTheRuns() {
        #expect(Self.scope().runbooks.map(\.description) == ["a@1", "b@2", "once@1"])
        #expect(Self.scope(phase: "post").runbooks.map(\.description) == ["b@2", "once@1"])
        #expect(Self.scope(Selection(runbooks: ["b"])).runbooks.map(\.description) == ["b@2"])
        #expect(Self.scope(Selection(runbooks: ["b@2"])).runbooks.map(\.description) == ["b@2"])
        #expect(Self.scope(Selection(runbooks: ["b@1"])).runbooks.isEmpty)
        #expect(Self.scope(onlyWorkspace: true).runbooks.map(\.description) == ["once@1"])
    }

    /// Guarantee: a tenant's name is never read as a runbook's.
    @Test func tenantsAreNoRunbooks() {
        let selection = Selection(tenants: ["x, runbook b", "runbook b"])
        #expect(Self.scope(selection).runbooks.count == 3)
    }

    /// Guarantee: a retry of a retry is asked for the same runbooks, and its selection names no tenant.
    @Test func retryOfRetryKeepsRunbooks() {
        let selection = Selection(runbooks: ["b@2"], tenants: ["acme"])
        #expect(RetryScope.words(of: selection, retryOf: "01J") == "runbook b@2, retry of run 01J")
        #expect(Self.scope(selection, retryOf: "01J").runbooks.map(\.description) == ["b@2"])
    }

    /// Guarantee: what the manifest lists no more, or under another key, is told apart.
    @Test func goneRunbooksAreNamed() {
        let scope = Self.scope(manifest: [Self.runbook("a", "1"), Self.runbook("b", "3")])
        #expect(scope.runbooks.map(\.description) == ["a@1"])
        #expect(scope.gone.map(\.identity.description) == ["b@2", "once@1"])
    }
}

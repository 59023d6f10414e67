import RunbookModel
import Testing

struct UndoingTests {
    private func steps(
        _ runbooks: [Runbook], done: [String], undo: [String], scope: RunbookScope = .tenant,
        states: [String: RecordedExecution] = [:], takesBaselined: Bool = false
    ) -> [TenantPlanner.Step] {
        let manifest = Runbooks.manifest(runbooks).undoing(takesBaselined: takesBaselined)
        var recorded = Dictionary(
            uniqueKeysWithValues: states.map { (Identity(runbook: $0.key, key: "1"), $0.value) })
        for id in done {
            recorded[Identity(runbook: id, key: "1")] = RecordedExecution(state: .succeeded, checksum: "sha256:body")
        }
        return TenantPlanner(manifest: manifest, selection: Selection(runbooks: undo))
            .steps(scope: scope, labels: [:], recorded: recorded)
    }

    @Test("the order is turned round, and each undo comes after all that stood after its runbook")
    func order() {
        let runbooks = [
            Runbooks.runbook("a"), Runbooks.runbook("b", after: ["a"]),
            Runbooks.runbook("c", phase: "two", after: ["b"]),
            Runbooks.runbook("d", phase: "two"),
        ]
        let undos = Runbooks.manifest(runbooks).undoing()
        #expect(undos.runbooks.map(\.id) == ["d", "c", "b", "a"])
        #expect(undos.runbooks.map(\.after) == [[], [], ["c"], ["b", "c"]])
        #expect(undos.phases == ["two", "one"])
        #expect(undos.runbooks.allSatisfy { $0.undoes != nil && $0.aim == .rolledBack })
        #expect(undos.runbooks.allSatisfy { $0.checksum == "sha256:body" && $0.recordedChecksum == "undo:sha256:u" })
    }

    @Test("what every tenant had to finish before a runbook waits until every tenant has undone that runbook")
    func barriers() {
        let runbooks = [Runbooks.runbook("a"), Runbooks.runbook("b", barrier: true), Runbooks.runbook("c")]
        let forward = Stage.cut(runbooks).map { $0.runbooks.map(\.id) }
        let back = Stage.cut(Runbooks.manifest(runbooks).undoing().runbooks).map { $0.runbooks.map(\.id) }
        #expect(forward == [["a"], ["b", "c"]])
        #expect(back == [["c", "b"], ["a"]])
    }

    @Test("labels do not count: what is done is undone")
    func labels() {
        let runbook = Runbooks.runbook("a", match: ["plan": ["free"]])
        #expect(steps([runbook], done: ["a"], undo: ["a"]).map(\.decision) == [.run])
    }

    @Test("a base stays while anything that stands after it, directly or not, is done and stays")
    func dependants() {
        let runbooks = [
            Runbooks.runbook("a"), Runbooks.runbook("b", after: ["a"]), Runbooks.runbook("c", after: ["b"]),
            Runbooks.runbook("other"),
        ]
        #expect(steps(runbooks, done: ["a", "b", "c"], undo: ["a", "b", "c"]).map(\.decision) == [.run, .run, .run])
        #expect(steps(runbooks, done: ["a", "other"], undo: ["a"]).map(\.decision) == [.run])
        let direct = steps(runbooks, done: ["a", "b"], undo: ["a"])
        #expect(direct.map(\.decision) == [.blocked])
        #expect(direct.map(\.refusal) == [.supports("b")])
        // What stands between them is not done, and yet.
        let indirect = steps(runbooks, done: ["a", "c"], undo: ["a", "b"])
        #expect(indirect.map(\.decision) == [.done, .blocked])
        #expect(indirect.last?.refusal == .supports("c"))
    }

    @Test("what runs once stands after tenants' work, too")
    func workspaceDependants() {
        let runbooks = [Runbooks.runbook("a"), Runbooks.runbook("once", after: ["a"], scope: .workspace)]
        #expect(steps(runbooks, done: ["a", "once"], undo: ["a"]).map(\.refusal) == [.supports("once")])
        #expect(steps(runbooks, done: ["a", "once"], undo: ["a", "once"]).map(\.decision) == [.run])
        #expect(steps(runbooks, done: ["a"], undo: ["a"]).map(\.decision) == [.run])
    }

    @Test("an unknown end blocks what it stands on in that tenant, and refuses nothing elsewhere")
    func unknownEnds() {
        let runbooks = [Runbooks.runbook("a"), Runbooks.runbook("b", after: ["a"])]
        let unseen = ["b": RecordedExecution(state: .unknown, checksum: "sha256:body")]
        let steps = steps(runbooks, done: ["a"], undo: ["a", "b"], states: unseen)
        #expect(steps.map(\.decision) == [.unknown, .blocked])
        #expect(steps.allSatisfy { $0.refusal == nil })
    }

    @Test("what a person declared done is undone only when that is said")
    func baselined() {
        let states = ["a": RecordedExecution(state: .baselined, checksum: "sha256:body")]
        let refused = steps([Runbooks.runbook("a")], done: [], undo: ["a"], states: states)
        #expect(refused.map(\.refusal) == [.declared])
        let taken = steps([Runbooks.runbook("a")], done: [], undo: ["a"], states: states, takesBaselined: true)
        #expect(taken.map(\.decision) == [.run])
    }

    @Test("what is undone in one place may differ from what is undone in another")
    func chosen() {
        let runbooks = [Runbooks.runbook("a"), Runbooks.runbook("b")]
        let planner = TenantPlanner(manifest: Runbooks.manifest(runbooks).undoing(), selection: Selection())
        let recorded = Dictionary(
            uniqueKeysWithValues: runbooks.map {
                ($0.identity, RecordedExecution(state: .succeeded, checksum: "sha256:body"))
            })
        let steps = planner.steps(
            scope: .tenant, labels: [:], recorded: recorded, chosen: [runbooks[1].identity])
        #expect(steps.map(\.runbook.id) == ["b"])
    }
}

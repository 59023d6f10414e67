import RunbookModel
import Testing

struct TenantPlannerTests {
    enum Kind: CaseIterable { case transactional, direct, exec }

    private static let script = SQLScript(path: "s.sql", text: "select 1", statements: [], checksum: "sha256:s")

    private func runbook(
        _ id: String = "r", _ kind: Kind = .transactional, phase: String = "one", after: [String] = [],
        scope: RunbookScope = .tenant, match: [String: [String]] = [:], isRepeatable: Bool = false,
        verifies: Bool = false, onChange: ChangePolicy = .fail
    ) -> Runbook {
        Runbook(
            id: id, phase: phase, after: after, scope: scope, match: match, transaction: kind == .transactional,
            repeatable: isRepeatable, onChange: onChange,
            action: kind == .exec
                ? .exec(HookCommand(arguments: ["x"], timeout: .seconds(1))) : .sql(Self.script),
            verify: verifies ? Self.script : nil, checksum: "sha256:now")
    }

    private func plan(
        _ runbooks: [Runbook], _ states: [String: RecordedExecution] = [:], labels: [String: String] = [:],
        selection: Selection = Selection(), scope: RunbookScope = .tenant
    ) -> [TenantPlanner.Step] {
        let manifest = Manifest(
            workspace: "w", ledger: LedgerSettings(url: Redacted("")), tenants: TenantSettings(source: .list([])),
            concurrency: Concurrency(), phases: ["one", "two", "three"], runbooks: runbooks,
            source: ManifestSource(path: "", folder: "", text: "", digest: "", secrets: []))
        let recorded = Dictionary(uniqueKeysWithValues: states.map { (Identity(runbook: $0.key, key: "1"), $0.value) })
        return TenantPlanner(manifest: manifest, selection: selection)
            .steps(scope: scope, labels: labels, recorded: recorded)
    }

    private func decisions(
        _ runbooks: [Runbook], _ states: [String: RecordedExecution] = [:], labels: [String: String] = [:],
        selection: Selection = Selection(), scope: RunbookScope = .tenant
    ) -> [PlanDecision] {
        plan(runbooks, states, labels: labels, selection: selection, scope: scope).map(\.decision)
    }

    private func recorded(
        _ state: ExecutionState, clean: Bool? = nil, checksum: String = "sha256:now"
    ) -> RecordedExecution {
        RecordedExecution(state: state, clean: clean, checksum: checksum)
    }

    // MARK: One runbook

    @Test("every recorded state, kind of work and option gives the decision of the contract", arguments: Kind.allCases)
    func everyState(kind: Kind) {
        for state in ExecutionState.allCases {
            for clean in [nil, true, false] as [Bool?] {
                for isSame in [true, false] {
                    for onChange in ChangePolicy.allCases {
                        for isRepeatable in [true, false] {
                            for verifies in [true, false] {
                                let runbook = runbook(
                                    "r", kind, isRepeatable: isRepeatable, verifies: verifies, onChange: onChange)
                                let row = recorded(state, clean: clean, checksum: isSame ? "sha256:now" : "sha256:old")
                                let undecided: PlanDecision = isRepeatable || verifies ? .run : .unknown
                                let expected: PlanDecision =
                                    switch state {
                                    case .succeeded, .baselined:
                                        isSame || onChange == .accept ? .done : onChange == .rerun ? .run : .drifted
                                    case .rolledBack: .run
                                    case .running, .unknown: undecided
                                    case .failed:
                                        kind == .exec || clean ?? (kind == .transactional) ? .run : undecided
                                    }
                                let step = plan([runbook], ["r": row]).first
                                #expect(step?.decision == expected)
                                let asks =
                                    verifies && !isRepeatable && expected == .run && !state.isDone
                                    && state != .rolledBack
                                    && !(state == .failed && (kind == .exec || clean ?? (kind == .transactional)))
                                #expect(step?.asksVerify == asks)
                            }
                        }
                    }
                }
            }
        }
    }

    @Test("without a row it runs")
    func noRow() {
        #expect(decisions([runbook()]) == [.run])
    }

    @Test("another key is another identity")
    func otherKey() {
        var again = runbook()
        again.key = "2"
        #expect(decisions([again], ["r": recorded(.succeeded)]) == [.run])
    }

    @Test("a tenant whose labels do not match is left out, whatever is on record")
    func labels() {
        let matched = runbook(match: ["plan": ["pro", "team"], "region": ["eu"]])
        #expect(decisions([matched], labels: ["plan": "team", "region": "eu"]) == [.run])
        #expect(decisions([matched], labels: ["plan": "free", "region": "eu"]) == [.notApplicable])
        #expect(decisions([matched], labels: ["plan": "pro"]) == [.notApplicable])
        #expect(decisions([matched], ["r": recorded(.unknown)]) == [.notApplicable])
    }

    // MARK: What comes after

    @Test(
        "what comes after something runs only when that is done, will be done first, or does not apply",
        arguments: [
            (nil, .run), (.succeeded, .run), (.baselined, .run), (.failed, .run), (.rolledBack, .run),
            (.unknown, .blocked), (.running, .blocked),
        ] as [(ExecutionState?, PlanDecision)])
    func after(state: ExecutionState?, expected: PlanDecision) {
        let runbooks = [runbook("a"), runbook("b", after: ["a"]), runbook("c", after: ["b"]), runbook("d")]
        let states = state.map { ["a": recorded($0)] } ?? [:]
        #expect(decisions(runbooks, states).dropFirst() == [expected, expected, .run])
    }

    @Test("drift blocks what comes after it, with both names in the reason")
    func afterDrift() {
        let steps = plan(
            [runbook("a"), runbook("b", after: ["a"]), runbook("c", after: ["b"])],
            ["a": recorded(.succeeded, checksum: "sha256:old")])
        #expect(steps.map(\.decision) == [.drifted, .blocked, .blocked])
        #expect(steps[1].reason == "after a, which has drifted")
        #expect(steps[2].reason == "after b, which is blocked")
    }

    @Test("what does not apply satisfies what comes after it")
    func afterNotApplicable() {
        let runbooks = [runbook("a", match: ["plan": ["pro"]]), runbook("b", after: ["a"])]
        #expect(decisions(runbooks) == [.notApplicable, .run])
    }

    @Test("what is done stays done, and what is unknown unknown, whatever they come after")
    func afterChangesPendingAlone() {
        let runbooks = [runbook("a"), runbook("b", after: ["a"]), runbook("c", after: ["a"])]
        let states = ["a": recorded(.unknown), "b": recorded(.succeeded), "c": recorded(.unknown)]
        #expect(decisions(runbooks, states) == [.unknown, .done, .unknown])
    }

    // MARK: Phases

    @Test("a tenant with something unknown, drifted or blocked is blocked in later phases, not in the same one")
    func laterPhases() {
        let runbooks = [
            runbook("a", phase: "one"), runbook("b", phase: "one"), runbook("c", phase: "two"),
            runbook("d", phase: "three"),
        ]
        for state in [recorded(.unknown), recorded(.succeeded, checksum: "sha256:old")] {
            let steps = plan(runbooks, ["a": state])
            #expect(steps.dropFirst().map(\.decision) == [.run, .blocked, .blocked])
            #expect(steps[2].reason?.contains("a of phase one") == true)
        }
        #expect(decisions(runbooks, ["b": recorded(.failed, clean: true)]) == [.run, .run, .run, .run])
        #expect(decisions(runbooks, ["c": recorded(.unknown)]) == [.run, .run, .unknown, .blocked])
        #expect(
            decisions(runbooks, ["a": recorded(.unknown), "c": recorded(.succeeded)])
                == [.unknown, .run, .done, .blocked])
    }

    // MARK: Selection

    @Test("a selection restricts what is planned; what is left out counts as it is on record")
    func selections() {
        let runbooks = [
            runbook("a", phase: "one"), runbook("b", phase: "two", after: ["a"]), runbook("c", phase: "two"),
        ]
        let second = Selection(phase: "two")
        #expect(decisions(runbooks, selection: Selection(phase: "one")) == [.run])
        #expect(decisions(runbooks, selection: second) == [.blocked, .run])
        #expect(decisions(runbooks, ["a": recorded(.succeeded)], selection: second) == [.run, .run])
        #expect(decisions(runbooks, ["a": recorded(.failed, clean: true)], selection: second) == [.blocked, .run])
        #expect(decisions(runbooks, ["a": recorded(.unknown)], selection: second) == [.blocked, .run])
        #expect(decisions(runbooks, selection: Selection(runbooks: ["b"])) == [.blocked])
        #expect(decisions(runbooks, selection: Selection(runbooks: ["b@1", "a"])) == [.run, .run])
        #expect(decisions(runbooks, selection: Selection(runbooks: ["b@2"])) == [])
        #expect(decisions(runbooks, selection: Selection(phase: "one", runbooks: ["b"])) == [])
        let reason = plan(runbooks, selection: second).first?.reason
        #expect(reason == "after a, which is not done and not selected")
    }

    // MARK: The workspace's own

    @Test("the workspace's own runbooks are planned apart, and block tenants when they are lost, also along a chain")
    func workspaceScope() {
        let runbooks = [
            runbook("w", scope: .workspace), runbook("v", after: ["w"], scope: .workspace), runbook("t", after: ["v"]),
            runbook("u"),
        ]
        #expect(plan(runbooks).map(\.runbook.id) == ["t", "u"])
        #expect(decisions(runbooks) == [.run, .run])
        #expect(decisions(runbooks, scope: .workspace) == [.run, .run])
        #expect(decisions(runbooks, ["w": recorded(.unknown)], scope: .workspace) == [.unknown, .blocked])
        #expect(decisions(runbooks, ["w": recorded(.unknown)]) == [.blocked, .run])
        #expect(decisions(runbooks, ["w": recorded(.unknown), "v": recorded(.succeeded)]) == [.run, .run])
        #expect(decisions(runbooks, selection: Selection(runbooks: ["t"])) == [.blocked])
    }

    @Test("a tenant's runbook does not block the workspace's own plan")
    func workspaceAfterTenants() {
        let runbooks = [runbook("t"), runbook("w", after: ["t"], scope: .workspace)]
        #expect(decisions(runbooks, scope: .workspace) == [.run])
    }

    // MARK: All of it at once

    @Test("in any plan, whatever runs has nothing lost before it", arguments: 0..<6)
    func randomPlans(seed: UInt64) {
        var state = seed &* 0x9e37_79b9_7f4a_7c15 &+ 1
        func random(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(count))
        }
        for _ in 0..<400 {
            let runbooks = (0..<8).map { index in
                runbook(
                    "r\(index)", Kind.allCases[random(3)], phase: ["one", "two", "three"][index / 3],
                    after: (0..<index).filter { _ in random(4) == 0 }.map { "r\($0)" },
                    match: random(5) == 0 ? ["plan": ["pro"]] : [:], isRepeatable: random(3) == 0,
                    onChange: ChangePolicy.allCases[random(3)])
            }
            var states: [String: RecordedExecution] = [:]
            for runbook in runbooks where random(2) == 0 {
                states[runbook.id] = recorded(
                    ExecutionState.allCases[random(6)], clean: [nil, true, false][random(3)],
                    checksum: random(4) == 0 ? "sha256:old" : "sha256:now")
            }
            let selection = random(2) == 0 ? Selection() : Selection(phase: ["one", "two", "three"][random(3)])
            let steps = plan(runbooks, states, selection: selection)
            #expect(steps.map(\.runbook.id) == runbooks.filter { $0.isSelected(by: selection) }.map(\.id))

            let all = Dictionary(uniqueKeysWithValues: steps.map { ($0.runbook.id, $0) })
            for (index, step) in steps.enumerated() where step.decision == .run {
                for id in step.runbook.after {
                    if let before = all[id] {
                        #expect([.run, .done, .notApplicable].contains(before.decision))
                    } else if let before = runbooks.first(where: { $0.id == id }), before.match.isEmpty {
                        #expect(states[id]?.state.isDone == true)
                    }
                }
                let lost = steps[..<index].contains { earlier in
                    earlier.runbook.phase != step.runbook.phase
                        && [.unknown, .blocked, .drifted].contains(earlier.decision)
                }
                #expect(!lost)
            }
            for step in steps where step.decision == .blocked { #expect(step.reason?.isEmpty == false) }
        }
    }
}

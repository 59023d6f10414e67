import RunbookModel
import Testing

struct StageTests {
    private func runbook(_ id: String, _ scope: RunbookScope = .tenant, barrier: Bool = false) -> Runbook {
        Runbook(
            id: id, phase: "p", scope: scope, barrier: barrier,
            action: .exec(HookCommand(arguments: ["x"], timeout: .seconds(1))), checksum: "c")
    }

    private func cut(_ runbooks: [Runbook]) -> [[String]] { Stage.cut(runbooks).map { $0.runbooks.map(\.id) } }

    @Test("a stage ends where the scope changes and before a barrier")
    func cuts() {
        #expect(cut([]) == [])
        #expect(cut([runbook("a"), runbook("b")]) == [["a", "b"]])
        #expect(cut([runbook("a"), runbook("b", barrier: true), runbook("c")]) == [["a"], ["b", "c"]])
        #expect(cut([runbook("a", barrier: true), runbook("b")]) == [["a", "b"]])
        #expect(
            cut([runbook("a"), runbook("w", .workspace), runbook("v", .workspace), runbook("b")])
                == [["a"], ["w", "v"], ["b"]])
        #expect(cut([runbook("w", .workspace), runbook("v", .workspace, barrier: true)]) == [["w"], ["v"]])
    }

    @Test("what is shared is a stage of its own")
    func sharedStandsAlone() {
        func shared(_ id: String, _ scope: RunbookScope = .tenant) -> Runbook {
            var runbook = runbook(id, scope)
            runbook.shared = true
            return runbook
        }
        let stages = Stage.cut([
            runbook("a"), shared("s"), runbook("b"), runbook("c"), shared("t"), shared("u"), shared("w", .workspace),
        ])
        #expect(stages.map { $0.runbooks.map(\.id) } == [["a"], ["s"], ["b", "c"], ["t"], ["u"], ["w"]])
        #expect(stages.map(\.isShared) == [false, true, false, true, true, true])
        #expect(Stage.cut([shared("s"), runbook("a")]).map(\.isShared) == [true, false])
    }

    @Test("stages keep every runbook once, in order, one scope each, numbered from 0")
    func keepsAll() {
        for bits in 0..<(1 << 10) {
            let runbooks = (0..<5).map { index in
                runbook(
                    "r\(index)", bits & (1 << index) != 0 ? .workspace : .tenant,
                    barrier: bits & (1 << (index + 5)) != 0)
            }
            let stages = Stage.cut(runbooks)
            #expect(stages.flatMap { $0.runbooks.map(\.id) } == runbooks.map(\.id))
            #expect(stages.map(\.index) == Array(stages.indices))
            for stage in stages {
                #expect(!stage.runbooks.isEmpty)
                #expect(stage.runbooks.allSatisfy { $0.scope == stage.scope })
                #expect(stage.runbooks.dropFirst().allSatisfy { !$0.barrier })
            }
            for (left, right) in zip(stages, stages.dropFirst()) {
                #expect(left.scope != right.scope || right.runbooks.first?.barrier == true)
            }
        }
    }
}

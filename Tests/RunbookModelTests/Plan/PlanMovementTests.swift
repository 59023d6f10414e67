import RunbookModel
import Testing

@Suite struct PlanMovementTests {
    private func plan(_ change: (inout SavedPlan) -> Void = { _ in }) -> SavedPlan {
        var counts = PlanReport.DecisionCounts()
        (counts.run, counts.done) = (8, 2)
        let runbook = PlanReport.PlannedRunbook(
            id: "a", key: "1", title: nil, phase: "pre-deploy", scope: .tenant, kind: "sql", transaction: true,
            file: "a.sql", checksum: "sha256:1", counts: counts)
        var plan = SavedPlan(
            workspace: "default", manifest: .init(path: "deploy.json5", digest: "sha256:m"),
            selection: SavedSelection(Selection()), ledger: .init(born: 7),
            tenants: .init(count: 10, digest: "sha256:t"),
            decisions: .init(pending: 8, digest: "sha256:d"), runbooks: [.init(runbook)], groups: [])
        change(&plan)
        return plan
    }

    /// Guarantee: the same is the same, whenever it was made; also with a ledger where there was none.
    @Test func nothingHasMoved() {
        #expect(PlanMovement(since: plan(), now: plan { $0.madeAt = "later" }).findings.isEmpty)
        #expect(PlanMovement(since: plan { $0.ledger.born = nil }, now: plan()).findings.isEmpty)
    }

    /// Guarantee: each thing that moves is named, with how it moved.
    @Test func whatHasMovedIsNamed() {
        let cases: [(moved: SavedPlan, words: String)] = [
            (plan { $0.workspace = "other" }, "it was made for workspace \"default\", this is \"other\""),
            (
                plan {
                    $0.manifest.digest = "sha256:n"
                    $0.runbooks[0].checksum = "sha256:2"
                }, "the manifest, or a file it names, has changed (a@1 has another body)"
            ),
            (
                plan {
                    $0.manifest.digest = "sha256:n"
                    $0.runbooks[0].id = "b"
                }, "the manifest, or a file it names, has changed (b@1 is new, a@1 is gone)"
            ),
            (plan { $0.ledger.born = 8 }, "this is another ledger than the one it was made with"),
            (
                plan {
                    $0.tenants = .init(count: 12, digest: "sha256:u")
                    $0.decisions.digest = "sha256:e"
                }, "there are 12 tenants in scope, and there were 10"
            ),
            (
                plan { $0.tenants.digest = "sha256:u" },
                "the tenants are others, or elsewhere, though as many (10)"
            ),
            (
                plan {
                    $0.decisions.digest = "sha256:e"
                    $0.runbooks[0].counts.done = 5
                }, "the ledger has moved: a@1 was done on 3 tenants since"
            ),
            (
                plan {
                    $0.decisions.digest = "sha256:e"
                    $0.runbooks[0].counts.done = 1
                }, "the ledger has moved: a@1 is not done any more on 1 tenant"
            ),
            (
                plan { $0.decisions.digest = "sha256:e" },
                "the ledger has moved: other tenants are done than then, though as many"
            ),
        ]
        for (moved, words) in cases { #expect(PlanMovement(since: plan(), now: moved).findings == [words]) }
    }

    /// Guarantee: only progress in the same ledger, over the same tenants and manifest, may be a run's own.
    @Test func onlyProgressIsOfTheLedgerAlone() {
        let progress = plan { $0.decisions.digest = "sha256:e" }
        #expect(PlanMovement(since: plan(), now: progress).isOfLedgerAlone)
        let elsewhere = plan {
            $0.decisions.digest = "sha256:e"
            $0.ledger.born = 8
        }
        #expect(!PlanMovement(since: plan(), now: elsewhere).isOfLedgerAlone)
        #expect(!PlanMovement(since: plan(), now: plan()).isOfLedgerAlone)
    }

    /// Guarantee: a digest does not depend on the order, and tells twice from once.
    @Test func orderDoesNotCount() {
        func digest(_ texts: [String]) -> String {
            var digest = UnorderedDigest()
            for text in texts { digest.add(text) }
            return digest.text
        }
        #expect(digest(["a", "b", "c"]) == digest(["c", "a", "b"]))
        #expect(digest(["a", "b"]) != digest(["a", "b", "b"]))
        #expect(digest(["a", "b"]) != digest(["a", "c"]))
        #expect(digest([]) != digest([""]))
    }
}

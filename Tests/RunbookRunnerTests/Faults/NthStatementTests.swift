import DatabaseAccess
import Foundation
import RunbookModel
import RunbookRunner
import TestSupport
import Testing

/// Whatever statement of an apply fails, the next ones converge to the same state.
@Suite struct NthStatementTests {
    /// Between ledger and tenant in one database and in two, only a lost answer makes a difference.
    private static let cases = Layout.all.flatMap { layout in
        StatementFault.Kind.allCases.filter { layout != .databases || $0 == .unanswered }.map { (layout, $0) }
    }

    /// Guarantee: exit 0 only when all is done; transactional work exactly once, other work at most once until a person
    /// has said what became of it; every run completed, no lock left. For every statement in turn.
    @Test(arguments: cases) func theNextApplyConverges(_ layout: Layout, _ kind: StatementFault.Kind) async throws {
        try await RepairFleet.with(layout, ["a"]) { fleet in
            let trace = TraceFile(in: fleet)
            fleet.runbooks = [fleet.effect("rows"), fleet.effect("raw") { $0.transaction = false }, trace.hook]
            var number = 0
            var fault: StatementFault
            repeat {
                number += 1
                fault = StatementFault(kind, at: number)
                try await converge(fleet, trace, fault, "statement \(number)")
                try fleet.startOver()
            } while fault.hasFired
            // An apply that asks for less would prove less.
            #expect(number > 20)
        }
    }

    /// Guarantee: the same of a stage in a file, where the runbooks of a tenant share a session, and fused a transaction:
    /// each is done exactly once.
    @Test(arguments: StatementFault.Kind.allCases, [false, true])
    func aStageInAFileConverges(_ kind: StatementFault.Kind, isFused: Bool) async throws {
        try await RepairFleet.with(.files, ["a"]) { fleet in
            fleet.runbooks = ["one", "two", "three"].map { fleet.effect($0) }
            var number = 0
            var fault: StatementFault
            repeat {
                number += 1
                fault = StatementFault(kind, at: number)
                var manifest = try fleet.manifest
                manifest.fuse = isFused
                let broken = await Fleet.apply(manifest, opener: FaultyOpener(fault: fault))
                let effects = try fleet.effects("a")
                #expect(!isFused || [0, 3].contains(effects.count), "statement \(number): \(effects)")
                if broken.exitCode == 0 { #expect(effects.count == 3, "statement \(number): \(broken)") }

                let report = await Fleet.apply(manifest)

                #expect(report.exitCode == 0, "statement \(number): \(broken)\n\(report)")
                #expect(try fleet.effects("a") == ["one", "three", "two"], "statement \(number)")
                #expect(await Fleet.apply(manifest).nothingToDo, "statement \(number)")
                try fleet.startOver()
            } while fault.hasFired
            #expect(number > 20)
        }
    }

    private func converge(
        _ fleet: RepairFleet, _ trace: TraceFile, _ fault: StatementFault, _ place: String
    ) async throws {
        func effects() throws -> [String] { try (fleet.effects("a") + trace.lines).sorted() }

        let broken = await Fleet.apply(try fleet.manifest, opener: FaultyOpener(fault: fault))
        if broken.exitCode == 0 { #expect(try effects() == ["hook", "raw", "rows"], "\(place): \(broken)") }

        var report = try await fleet.apply()
        for _ in 1...5 where report.exitCode == 5 {
            // Only what no transaction could hold, and never done twice.
            let unknown = Set(report.failures.compactMap(\.runbook))
            let done = try effects()
            #expect(unknown.isSubset(of: ["raw", "hook"]), "\(place): \(report)")
            #expect(Set(done).count == done.count, "\(place): \(done)")
            for runbook in unknown.sorted() {
                // A hook that may have been started is waited for, as long as it may take.
                let isSettled = try await eventually {
                    try await fleet.resolve(runbook, done.contains(runbook) ? .applied : .retry, "a").exitCode == 0
                }
                #expect(isSettled, "\(place): \(runbook) cannot be resolved")
            }
            report = try await fleet.apply()
        }

        #expect(report.exitCode == 0, "\(place): \(broken)\n\(report)")
        #expect(try effects() == ["hook", "raw", "rows"], "\(place)")
        #expect(try fleet.ledger("SELECT count(*) FROM {m}runs WHERE status <> 'completed'") == ["0"], "\(place)")
        #expect(
            try fleet.ledger("SELECT count(*) FROM {m}jobs WHERE state IN ('queued', 'running')") == ["0"], "\(place)")
        #expect(try await fleet.apply().nothingToDo, "\(place)")
        try await expectNoLock(fleet, place)
    }

    /// A lost connection's locks go when its server has seen that it is gone.
    private func expectNoLock(_ fleet: RepairFleet, _ place: String) async throws {
        guard fleet.layout != .files else { return }
        for database in ["ledger"] + (fleet.layout == .databases ? ["a"] : []) {
            let isFree = try await eventually {
                let session = try fleet.open(database)
                defer { session.close() }
                return try session.integer(
                    """
                    SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
                        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                    """) == 0
            }
            #expect(isFree, "\(place): a lock is left in \(database)")
        }
    }
}

/// What a hook leaves behind: a line each time it runs.
private struct TraceFile {
    private let path: String

    init(in fleet: RepairFleet) { path = fleet.path("hook") }

    var hook: Runbook {
        let command = HookCommand(arguments: ["/bin/sh", "-c", "echo hook >>\"$0\"", path], timeout: .seconds(5))
        return Runbook(id: "hook", phase: "pre-deploy", action: .exec(command), checksum: "sha256:0")
    }

    var lines: [String] {
        get throws {
            guard FileManager.default.fileExists(atPath: path) else { return [] }
            return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
        }
    }
}

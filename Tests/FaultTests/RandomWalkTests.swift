import Foundation
import TestSupport
import Testing

/// Seeded random walks over what happens to a fleet: applies, kills, deploys, tenants that come, go, break, and are
/// restored from a backup.
@Suite struct RandomWalkTests {
    enum Step: CaseIterable {
        case apply, killApply, addRunbook, addTenant, removeTenant, copyTenant, restoreTenant, breakTenant, mendTenant
    }

    /// Guarantee: whatever the order, a finished identity never runs again, nothing is done twice or in another tenant,
    /// counts are the rows, a completed run has no open job, attempts only grow; and in the end all is done everywhere.
    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func invariantsHold(seed: UInt64) async throws {
        var random = SplitMix(state: seed)
        let fleet = try FileFleet()
        for _ in 0..<4 { try await fleet.addTenant() }
        try fleet.addRunbook()
        var seen: [String: (state: String, attempt: Int)] = [:]
        for number in 1...24 {
            let step = Step.allCases.randomElement(using: &random) ?? .apply
            let tenant = fleet.present.sorted().randomElement(using: &random) ?? "t1"
            try await take(step, on: tenant, fleet, &random)
            try await checkInvariants(fleet, &seen, "seed \(seed), step \(number): \(step) \(tenant)")
        }
        for tenant in fleet.broken.sorted() { try await fleet.mendTenant(tenant) }
        try await settle(fleet)
        // One may have been killed: the first apply then joins its run, with what had failed in it.
        var report = try await fleet.workplace.apply()
        if report.exitCode == 3, report.run?.joined == true { report = try await fleet.workplace.apply() }
        #expect(report.exitCode == 0, "seed \(seed): \(report.failures) \(String(describing: report.error))")
        // A person's repair may take rows away; nothing before it may.
        seen = [:]
        try await checkInvariants(fleet, &seen, "seed \(seed), the end")
        for tenant in fleet.present {
            let wanted = fleet.runbooks.map { "\($0) \(tenant)" }.sorted()
            #expect(try await fleet.effects(of: tenant) == wanted, "seed \(seed): \(tenant)")
        }
        #expect(try await fleet.workplace.apply().nothingToDo)
    }

    private func take(_ step: Step, on tenant: String, _ fleet: FileFleet, _ random: inout SplitMix) async throws {
        switch step {
        case .apply: try await applyToTheEnd(fleet)
        case .killApply:
            let runner = try fleet.workplace.muster("apply", "-f", "deploy.json5").start()
            // When the kill falls is the walk's choice, not a wait for something.
            try await Task.sleep(for: .milliseconds(Int.random(in: 5...150, using: &random)))
            runner.send(SIGKILL)
            _ = try await runner.ending()
        case .addRunbook: try fleet.addRunbook()
        case .addTenant: try await fleet.addTenant()
        case .removeTenant: if fleet.present.count > 3 { try fleet.removeTenant(tenant) }
        case .copyTenant: try await fleet.copyTenant(tenant)
        case .restoreTenant: try await fleet.restoreTenant(tenant)
        case .breakTenant: try await fleet.breakTenant(tenant)
        case .mendTenant: try await fleet.mendTenant(tenant)
        }
    }

    private func applyToTheEnd(_ fleet: FileFleet) async throws {
        var allowed: Set = [0]
        if !fleet.broken.isEmpty { allowed.formUnion([1, 3]) }
        // Restored: reported where it is looked at. Nothing runs again there, and nothing is passed over in silence.
        if !fleet.outdated.isEmpty { allowed.formUnion([3, 4]) }
        let report = try await fleet.workplace.apply()
        #expect(
            allowed.contains(report.exitCode),
            "\(report.exitCode) with \(fleet.broken) broken, \(fleet.outdated) restored: \(report.failures)")
    }

    /// Does what an operator would after a restore: compare, then let what is missing run again.
    private func settle(_ fleet: FileFleet) async throws {
        let outdated = fleet.outdated
        let comparison = try await fleet.workplace.muster("ledger", "repair", "-f", "deploy.json5").run()
        if !outdated.isEmpty { #expect(comparison.code == 4, "\(outdated): \(comparison)") }
        guard comparison.code == 4 else { return }
        let repair = try await fleet.workplace.muster(
            "ledger", "repair", "-f", "deploy.json5", "--forget-missing", "--reason", "restored", "--yes"
        ).run()
        #expect(repair.code == 0, "\(repair)")
        fleet.noteRepaired()
    }

    private func checkInvariants(
        _ fleet: FileFleet, _ seen: inout [String: (state: String, attempt: Int)], _ place: String
    ) async throws {
        for tenant in fleet.present {
            let held = try await fleet.effects(of: tenant)
            #expect(Set(held).count == held.count, "\(place): \(tenant) holds \(held)")
            #expect(held.allSatisfy { $0.hasSuffix(" \(tenant)") }, "\(place): \(tenant) holds \(held)")
        }
        guard fleet.hasLedger,
            try await fleet.ledger.lines("SELECT 1 FROM sqlite_schema WHERE name = 'muster_jobs'") == ["1"]
        else { return }
        let now = try await fleet.executions()
        for (key, old) in seen {
            let new = try #require(now[key], "\(place): \(key) is gone from the ledger")
            #expect(new.attempt >= old.attempt, "\(place): the attempt of \(key) fell")
            if old.state == "succeeded", !fleet.outdated.contains(String(key.prefix { $0 != " " })) {
                #expect(new == old, "\(place): \(key) was finished and became \(new)")
            }
        }
        seen = now
        let stuck = try await fleet.ledger.lines(
            """
            SELECT j.run_id, j.tenant FROM muster_jobs j JOIN muster_runs r ON r.id = j.run_id
            WHERE r.status = 'completed' AND j.state IN ('queued', 'running')
            """)
        #expect(stuck.isEmpty, "\(place): open jobs of completed runs: \(stuck)")
        let miscounted = try await fleet.ledger.lines(
            """
            SELECT r.id FROM muster_runs r LEFT JOIN muster_jobs j ON j.run_id = r.id AND j.tenant <> ''
            WHERE r.status = 'completed' GROUP BY r.id
            HAVING r.total <> r.already_done + count(j.tenant) OR r.processed <> r.total
                OR r.succeeded <> count(j.tenant) FILTER (WHERE j.state = 'succeeded')
                OR r.failed <> count(j.tenant) FILTER (WHERE j.state = 'failed')
                OR r.skipped <> r.already_done + count(j.tenant) FILTER (WHERE j.state = 'skipped')
                OR r.blocked <> count(j.tenant) FILTER (WHERE j.state = 'blocked')
            """)
        #expect(miscounted.isEmpty, "\(place): counts that are not the rows: \(miscounted)")
    }
}

/// A small generator with a seed (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}

import DatabaseAccess
import Foundation
import RunbookModel
import Testing

@testable import RunbookRunner

/// A hook learns about its tenant, and about no other.
struct HookEnvironmentTests {
    private func facts(tenant: String? = "acme", schema: String? = "t_acme") throws -> HookFacts {
        HookFacts(
            runID: "01J", workspace: "default", identity: Identity(runbook: "announce", key: "2"), tenant: tenant,
            schema: schema, url: try ConnectionURL(parsing: "postgres://app:s3cret@db/acme"), attempt: 3,
            phase: "post-deploy", isDryRun: false)
    }

    @Test func everyVariableOfTheContractIsSet() throws {
        let variables = HookEnvironment(try facts(), inherited: [:]).variables
        #expect(
            variables == [
                "MUSTER_RUN_ID": "01J", "MUSTER_RUNBOOK": "announce", "MUSTER_KEY": "2", "MUSTER_TENANT": "acme",
                "MUSTER_TENANT_SCHEMA": "t_acme", "MUSTER_TENANT_TARGET": "postgres://app:****@db/acme",
                "MUSTER_TENANT_URL": "postgres://app:s3cret@db/acme", "DATABASE_URL": "postgres://app:s3cret@db/acme",
                "MUSTER_ATTEMPT": "3", "MUSTER_PHASE": "post-deploy", "MUSTER_DRY_RUN": "0", "MUSTER_ROLLBACK": "0",
                "MUSTER_IDEMPOTENCY_KEY": "default/acme/announce@2",
            ])
    }

    @Test func toUndoIsAnotherAct() throws {
        var facts = try facts()
        facts.isRollback = true
        let environment = HookEnvironment(facts, inherited: [:])
        #expect(environment.variables["MUSTER_ROLLBACK"] == "1")
        #expect(environment.variables["MUSTER_IDEMPOTENCY_KEY"] == "default/acme/announce@2/rollback")
        #expect(String(decoding: environment.input, as: UTF8.self).contains("\"rollback\":true"))
    }

    @Test func whatLeadsToTheFleetIsTakenOut() throws {
        let inherited = [
            "PATH": "/bin", "HOME": "/root", "LANG": "C", "PGHOST": "db", "PGPASSWORD": "x", "PGSERVICEFILE": "y",
            "DIRECT_URL": "postgres://fleet", "DATABASE_URL": "postgres://fleet", "MUSTER_LEDGER": "postgres://fleet",
            "MUSTER_MANIFEST": "m", "FLEET_DB": "postgres://fleet", "NOT_PG": "1", "EMPTY": "", "TOKEN": "t",
        ]
        let variables = HookEnvironment(
            try facts(), inherited: inherited, fleet: [Redacted("postgres://fleet"), Redacted("")]
        ).variables
        let rest = variables.filter { !$0.key.hasPrefix("MUSTER_") && $0.key != "DATABASE_URL" }
        #expect(rest == ["PATH": "/bin", "HOME": "/root", "LANG": "C", "NOT_PG": "1", "EMPTY": "", "TOKEN": "t"])
        #expect(variables["MUSTER_LEDGER"] == nil && variables["MUSTER_MANIFEST"] == nil)
        #expect(!variables.values.contains { $0.contains("fleet") })
    }

    @Test func stdinIsTheSameAsOneObject() throws {
        let input = HookEnvironment(try facts(schema: nil), inherited: [:]).input
        #expect(input.last == UInt8(ascii: "\n"))
        #expect(input.count { $0 == UInt8(ascii: "\n") } == 1)
        let text = String(decoding: input, as: UTF8.self)
        #expect(
            text == """
                {"attempt":3,"dry_run":false,"idempotency_key":"default/acme/announce@2","key":"2",\
                "phase":"post-deploy","rollback":false,"run_id":"01J","runbook":"announce","tenant":"acme","tenant_schema":null,\
                "tenant_target":"postgres://app:****@db/acme","tenant_url":"postgres://app:s3cret@db/acme"}

                """)
    }

    @Test func workspaceScopeHasNoTenant() throws {
        let environment = HookEnvironment(
            try facts(tenant: nil, schema: nil), inherited: ["MUSTER_TENANT": "inherited", "MUSTER_TENANT_SCHEMA": "x"])
        #expect(environment.variables["MUSTER_TENANT"] == nil)
        #expect(environment.variables["MUSTER_TENANT_SCHEMA"] == nil)
        #expect(environment.variables["MUSTER_IDEMPOTENCY_KEY"] == "default//announce@2")
        #expect(String(decoding: environment.input, as: UTF8.self).contains("\"tenant\":null"))
    }

    @Test func aDryRunIsSaid() throws {
        var facts = try facts()
        facts.isDryRun = true
        let environment = HookEnvironment(facts, inherited: [:])
        #expect(environment.variables["MUSTER_DRY_RUN"] == "1")
        #expect(String(decoding: environment.input, as: UTF8.self).contains("\"dry_run\":true"))
    }

    @Test func occasionIsToldBeside() throws {
        var occasion = HookOccasion(hook: .onFailure, outcome: "partially_succeeded")
        var counts = JobCounts()
        counts.add(.succeeded, 3)
        counts.add(.failed)
        occasion.counts = counts
        occasion.causes = [
            Cause(
                count: 1, runbook: nil, sqlstate: nil, message: "no", file: nil, line: nil, sampleTenants: ["acme"])
        ]
        let environment = HookEnvironment(try facts(), inherited: [:], occasion: occasion)
        let variables = environment.variables
        #expect(variables["MUSTER_HOOK"] == "on_failure" && variables["MUSTER_OUTCOME"] == "partially_succeeded")
        #expect(variables["MUSTER_TOTAL"] == "4" && variables["MUSTER_FAILED"] == "1")
        #expect(variables["MUSTER_RUN_ID"] == "01J" && variables["MUSTER_STOP_REASON"] == nil)
        let object = try JSONSerialization.jsonObject(with: Data(environment.input)) as? [String: Any]
        let causes = object?["causes"] as? [[String: Any]]
        #expect(object?["hook"] as? String == "on_failure" && object?["run_id"] as? String == "01J")
        #expect((object?["counts"] as? [String: Int])?["succeeded"] == 3)
        #expect(object?["stop_reason"] is NSNull && causes?.first?["sqlstate"] is NSNull)
        #expect(causes?.first?["message"] as? String == "no")
    }
}

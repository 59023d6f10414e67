import Foundation
import TestSupport

/// Tenants in schemas of one database, and a table outside of them that counts effects: it has no key, so that an effect
/// that happens twice shows as two rows.
struct SchemaFleet {
    let database: PostgresDatabase
    let workplace: Workplace

    /// Makes the tenants t0001, t0002, … and a manifest.
    ///
    /// - Parameters:
    ///   - url: where Muster finds them, when that is not the database's own address.
    ///   - target: more of the manifest's `target`, each with its comma.
    ///   - runbooks: the manifest's list, without brackets.
    static func make(
        _ count: Int, in database: PostgresDatabase, url: String? = nil, ledger: String? = nil, concurrency: Int = 4,
        target: String = "", top: String = "", runbooks: String, scripts: [String: String]
    ) async throws -> SchemaFleet {
        try await database.psql(
            """
            CREATE TABLE public.witness (tenant text, runbook text, backend int DEFAULT pg_backend_pid());
            DO $$ BEGIN
                FOR i IN 1..\(count) LOOP EXECUTE format('CREATE SCHEMA %I', 't' || to_char(i, 'FM0000')); END LOOP;
            END $$;
            """)
        let address = url ?? database.url
        let workplace = try Workplace(environment: ["DATABASE_URL": address, "LEDGER_URL": ledger ?? address])
        for (name, script) in scripts {
            if name.hasSuffix(".sql") {
                try workplace.write(name, script)
            } else {
                try workplace.writeProgram(name, script)
            }
        }
        try workplace.write(
            "deploy.json5",
            """
            {
              manifest: 1,
              ledger: { url: "${LEDGER_URL}" },
              tenants: {
                query: "select nspname as id, nspname as schema from pg_namespace where nspname ~ '^t[0-9]{4}$' order by 1",
                url: "${DATABASE_URL}",
                target: { url: "${DATABASE_URL}", schema: "{schema}", \(target) },
              },
              concurrency: { tenants: \(concurrency) },
              \(top)
              runbooks: [\(runbooks)],
            }
            """)
        return SchemaFleet(database: database, workplace: workplace)
    }

    func start(_ arguments: String..., environment: [String: String] = [:]) throws -> RunningCommand {
        var command = workplace.muster(["apply", "-f", "deploy.json5", "--format", "json"] + arguments)
        command.environment.merge(environment) { $1 }
        return try command.start()
    }

    /// How often something happened.
    func effects() async throws -> Int {
        Int(try await database.lines("SELECT count(*) FROM public.witness").first ?? "") ?? -1
    }

    /// Tenants with no effect, and effects too many.
    func lostAndRepeated(of tenants: Int, _ runbook: String? = nil) async throws -> (lost: Int, repeated: Int) {
        let only = runbook.map { "WHERE runbook = '\($0)'" } ?? ""
        let counts = try await database.lines(
            "SELECT count(DISTINCT (tenant, runbook)) || ' ' || count(*) FROM public.witness \(only)")
        let numbers = (counts.first ?? "").split(separator: " ").compactMap { Int($0) }
        return (lost: tenants - (numbers.first ?? 0), repeated: (numbers.last ?? 0) - (numbers.first ?? 0))
    }

    /// Every run's status and outcome, and jobs that are open.
    func runs() async throws -> [String] {
        try await database.lines(
            """
            SELECT status || ' ' || coalesce(outcome, '-') || ' ' || (
                SELECT count(*) FROM muster.jobs j WHERE j.run_id = r.id AND j.state IN ('queued', 'running'))
            FROM muster.runs r ORDER BY started_at
            """)
    }
}

/// A script that leaves a trace and takes its time.
func traced(_ runbook: String, seconds: Double = 0) -> String {
    """
    INSERT INTO public.witness (tenant, runbook) VALUES (current_schema(), '\(runbook)');
    SELECT pg_sleep(\(seconds));

    """
}

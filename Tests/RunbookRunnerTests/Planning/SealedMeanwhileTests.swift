import DatabaseAccess
import RunbookModel
import RunbookRunner
import Synchronization
import TestSupport
import Testing

/// A claim looks among what is sealed only where something may be: what is sealed between a plan and its run must be met.
@Suite(.needsPostgres) struct SealedMeanwhileTests {
    /// Guarantee 8: what another run has finished and sealed since the plan was made does not run again.
    @Test func whatIsSealedBehindThePlanIsMet() async throws {
        try await PostgresServer.withDatabase { url in
            let session = try PostgresServer.open(url)
            try session.run(
                """
                CREATE TABLE public.accounts (id text PRIMARY KEY);
                INSERT INTO public.accounts SELECT 't' || i FROM generate_series(1, 4) i;
                CREATE TABLE public.trace (tenant text, runbook text);
                """)
            let books = ["base", "a", "b"].map { id in
                Fleet.runbook(
                    id, ["INSERT INTO public.trace SELECT current_setting('app.tenant', true), '\(id)'"])
            }
            func manifest(_ runbooks: [Runbook]) -> Manifest {
                Fleet.manifest(
                    ledger: url.revealed, source: .query(sql: "SELECT id FROM public.accounts ORDER BY id", url: nil),
                    runbooks: runbooks
                ) {
                    $0.tenants.settings = ["app.tenant": "{id}"]
                    $0.tenants.isolation = .script
                }
            }
            #expect(await Fleet.apply(manifest([books[0]])).exitCode == 0)
            let failure = Mutex<String?>(nil)
            // The plan is made, its run is not.
            let opener = InterludeOpener { text, _ in
                text.contains("insert into \"muster\".workspaces")
            } _: {
                do {
                    // As the end of a run of `a` leaves two of the tenants.
                    try PostgresServer.open(url).run(
                        """
                        WITH s AS (INSERT INTO muster.sets (workspace, digest) VALUES ('default', 'other') RETURNING id),
                        m AS (
                            INSERT INTO muster.set_members (set_id, runbook, key, state, checksum)
                            SELECT s.id, r.runbook, '1', 'succeeded', r.checksum FROM s, (VALUES
                                ('base', '\(books[0].checksum)'), ('a', '\(books[1].checksum)')) r(runbook, checksum))
                        UPDATE muster.sealed SET set_id = s.id FROM s WHERE tenant IN ('t2', 't3');
                        """)
                } catch { failure.withLock { $0 = "\(error)" } }
            }
            let report = await Fleet.apply(manifest(books), opener: opener)
            #expect(failure.withLock { $0 } == nil)
            #expect(report.exitCode == 0, "\(String(describing: report.error)) \(report.failures)")
            let trace = try session.rows(
                "SELECT runbook, string_agg(tenant, ' ' ORDER BY tenant) FROM trace GROUP BY 1 ORDER BY 1"
            )
            .map { row in row.values.map { $0.text ?? "" } }
            #expect(trace == [["a", "t1 t4"], ["b", "t1 t2 t3 t4"], ["base", "t1 t2 t3 t4"]])
        }
    }
}

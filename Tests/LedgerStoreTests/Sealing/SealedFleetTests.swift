import DatabaseAccess
import Foundation
import LedgerStore
import RunbookModel
import TestSupport
import Testing

/// A ledger with many tenants, all of them sealed.
@Suite struct SealedFleetTests {
    private let tenants = 100_000
    private let identities = 500

    private func numbers(_ engine: Engine, _ count: Int) -> String {
        switch engine {
        case .postgresql: "select i from generate_series(0, \(count - 1)) as n(i)"
        case .sqlite: "with n(i) as (select 0 union all select i + 1 from n where i < \(count - 1)) select i from n"
        }
    }

    /// Guarantee: a million tenants with 500 identities each need less than 2 GB; a tenth of them, a tenth of that. Who
    /// is pending is still one question.
    @Test(arguments: Engine.all) func ledgerStaysSmall(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, place in
            let runbooks = (0..<identities).map { Sample.runbook("runbook-\($0)", checksum: Checksum.of("\($0)")) }
            try ledger.remember(tenants: [], runbooks: runbooks)
            let now = engine == .postgresql ? "now()" : "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
            try ledger.change(
                """
                insert into {}tenants (workspace, tenant, labels, seen_at)
                select 'default', 'tenant-' || i, '{"plan": "pro", "region": "eu"}', \(now)
                from (\(numbers(engine, tenants))) as n
                """)
            // Three sets, as after a deploy that some have not finished.
            for set in 1...3 {
                try ledger.change("insert into {}sets (workspace, digest) values ('default', '\(set)')")
                try ledger.change(
                    """
                    insert into {}set_members (set_id, runbook, key, state, checksum)
                    select \(set), runbook, key, 'succeeded', checksum from {}identities where position < \(497 + set)
                    """)
            }
            try ledger.change(
                """
                insert into {}sealed (workspace, tenant, set_id)
                select 'default', 'tenant-' || i, case when i < 100 then 1 when i < 200 then 2 else 3 end
                from (\(numbers(engine, tenants))) as n
                """)

            let scope = Sample.scope((0..<tenants).map { "tenant-\($0)" }, runbooks)
            #expect(try ledger.countUnsettled(in: scope) == 200)
            var groups: [Int?: Int] = [:]
            try ledger.forEachUnsettled(in: scope) { groups[$1.group, default: 0] += 1 }
            #expect(groups == [1: 100, 2: 100])
            let size: Int
            switch engine {
            case .postgresql:
                size = try ledger.session.integer("SELECT pg_database_size(current_database())") ?? .max
            case .sqlite:
                try ledger.session.run("PRAGMA wal_checkpoint(TRUNCATE)")
                let path = try #require(place.url.path)
                size = try #require(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
            }
            #expect(size < 200_000_000)
        }
    }
}

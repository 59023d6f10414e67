import Foundation
import TestSupport
import Testing

/// The findings-lifecycle deploy over a thousand SQLite files.
@Suite struct FindingsLifecycleSQLiteTests {
    /// No two files are alike, so that work done in the wrong one shows.
    private func fleet(of number: Int) async throws -> Workplace {
        let workplace = try Workplace(sample: "findings-lifecycle/sqlite")
        try await Command(
            "bash", "-ec",
            """
            ./setup \(number)
            for file in tenants/*.db; do
                sqlite3 "$file" "PRAGMA synchronous = OFF; UPDATE findings SET asset = '$file-' || asset;
                    DELETE FROM observations WHERE id % 7 = $((RANDOM % 7))"
            done
            """, folder: workplace.folder
        ).output()
        return workplace
    }

    /// What a person sees: every file as SQL, Muster's receipts apart.
    private func dumps(_ folder: String, in workplace: Workplace) async throws -> String {
        try await Command(
            "bash", "-ec",
            """
            for file in \(folder)/*.db; do
                echo "${file##*/}"
                sqlite3 "$file" BEGIN "DROP TABLE IF EXISTS muster_receipts" .dump
            done
            """, folder: workplace.folder
        ).output()
    }

    /// Guarantee: after apply every file has what the sqlite3 shell gives by hand.
    @Test func thousandFilesEqualThoseChangedByHand() async throws {
        let workplace = try await fleet(of: 1_000)
        try await Command(
            "bash", "-ec",
            """
            cp -r tenants by-hand
            for file in by-hand/*.db; do
                echo "PRAGMA synchronous = OFF;" | cat - sql/001_columns.sql sql/002_index.sql sql/003_backfill.sql | sqlite3 -bail "$file"
            done
            """, folder: workplace.folder
        ).output()

        let report = try await workplace.apply()

        #expect(report.exitCode == 0)
        #expect(report.failures.isEmpty)
        let backfill = try #require(report.runbooks.first { $0.id == "findings-lifecycle-backfill" })
        #expect(backfill.counts.succeeded == 1_000)
        #expect(backfill.rowsAffected == 40_000)
        let expected = try await dumps("by-hand", in: workplace)
        let found = try await dumps("tenants", in: workplace)
        #expect(expected.count > 5_000_000)
        expectSame(found, expected, "the .dump of every file")
    }

    /// Guarantee: with nothing to do no byte changes, in no tenant and not in the ledger, and no file comes or goes.
    @Test func secondApplyWritesNothing() async throws {
        let workplace = try await fleet(of: 20)
        #expect(try await workplace.apply().exitCode == 0)
        let before = try await workplace.contents()

        let report = try await workplace.apply()

        #expect(report.exitCode == 0)
        #expect(report.nothingToDo)
        #expect(report.run == nil)
        try await expectSame(workplace.contents(), before, "every file before and after")
    }

    /// Guarantee: one broken file is named with script and line, every other one is done, and after the repair the next
    /// apply touches that one alone.
    @Test func oneBrokenFileLeavesTheOthersDone() async throws {
        let workplace = try await fleet(of: 1_000)
        let broken = SQLiteFile(path: workplace.folder.appending(path: "tenants/tenant-0500.db"))
        try await broken.sql("ALTER TABLE findings ADD COLUMN first_seen_at TEXT")

        let report = try await workplace.apply()

        #expect(report.exitCode == 3)
        #expect(report.counts.succeeded == 999)
        let failure = try #require(report.failures.first { $0.state == "failed" })
        #expect(report.failures.count { $0.state == "failed" } == 1)
        #expect(failure.tenant == "tenant-0500")
        #expect(failure.file?.hasSuffix("sql/001_columns.sql") == true)
        #expect(failure.line == 4)
        #expect(failure.sqlstate == nil)
        #expect(failure.clean == true)
        #expect(failure.message.contains("duplicate column name: first_seen_at"))
        #expect(
            try await broken.lines("SELECT name FROM pragma_table_info('findings') WHERE name = 'lifecycle_state'")
                == [], "the columns before the failing one were rolled back")
        let before = try await tenantFiles(in: workplace)

        try await broken.sql("ALTER TABLE findings DROP COLUMN first_seen_at")
        let second = try await workplace.apply()

        #expect(second.exitCode == 0)
        let columns = try #require(second.runbooks.first { $0.id == "findings-lifecycle-columns" })
        #expect(columns.counts.succeeded == 1)
        #expect(try await tenantFiles(in: workplace) == before, "no other file changed")
    }

    /// Checksums of every tenant's file but the broken one.
    private func tenantFiles(in workplace: Workplace) async throws -> String {
        try await Command(
            "bash", "-c", "find tenants -type f ! -name 'tenant-0500*' -print0 | sort -z | xargs -0 sha256sum",
            folder: workplace.folder
        ).output()
    }

    /// Guarantee: a file that comes later is found, and gets everything the others have.
    @Test func newTenantCatchesUp() async throws {
        let workplace = try await fleet(of: 3)
        #expect(try await workplace.apply().exitCode == 0)
        try await Command("sh", "-c", "sqlite3 tenants/late.db <setup.sql", folder: workplace.folder).output()

        let report = try await workplace.apply()

        #expect(report.exitCode == 0)
        let backfill = try #require(report.runbooks.first { $0.id == "findings-lifecycle-backfill" })
        #expect(backfill.counts.succeeded == 1)
        let late = SQLiteFile(path: workplace.folder.appending(path: "tenants/late.db"))
        #expect(try await late.lines("SELECT count(*) FROM findings WHERE lifecycle_state IS NULL") == ["0"])
    }
}

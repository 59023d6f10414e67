import Foundation
import LedgerStore
import RunbookModel
import TestSupport
import Testing

@testable import RunbookRunner

/// A ledger that an older program has made, met by a newer one.
@Suite struct LedgerUpgradeTests {
    /// Guarantee: apply upgrades it before it asks it anything; questions only say who does. The older program keeps out.
    @Test func applyUpgradesAndQuestionsDoNot() async throws {
        try await TemporaryFolder.with { folder in
            let manifest = Fleet.manifest(
                ledger: "sqlite:\(folder.path("ledger.db"))",
                source: .list([Tenant(id: "a", url: Redacted("sqlite:\(folder.path("a.db"))"))]),
                runbooks: [Fleet.runbook("one", ["CREATE TABLE one (x)"])])
            try await SQLiteFile(path: folder.url.appending(path: "a.db")).sql("CREATE TABLE old (x)")
            #expect(await Fleet.apply(manifest).exitCode == 0)
            let newer = LedgerDesk(
                opener: RealOpener(), ledger: manifest.ledger, workspace: "default",
                upgrades: LedgerSchema.upgrades + [{ _ in "CREATE TABLE muster_later (x)" }])
            let refusal = await #expect(throws: ServiceError.self) { _ = try await newer.openForReading() }
            #expect(refusal?.exitStatus == .refused)
            #expect(refusal?.message.contains("`muster apply` does that before it looks for work") == true)

            #expect(try await newer.openForReading(mayPrepare: true))
            await newer.close()

            let older = await Fleet.apply(manifest)
            #expect(older.exitCode == 4)
            #expect(older.error?.message.contains("Use a newer muster") == true, "\(older)")
        }
    }
}

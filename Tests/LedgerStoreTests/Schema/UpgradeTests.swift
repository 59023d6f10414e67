import DatabaseAccess
import Foundation
import LedgerStore
import TestSupport
import Testing

/// The way from one version of the ledger to the next, taken with a version that does not exist.
@Suite struct UpgradeTests {
    private func table(_ name: String) -> LedgerSchema.Upgrade {
        { sql in
            let prefix = sql.dialect == .postgresql ? "\(sql.schema)." : "muster_"
            return "create table \(prefix)\(name) (x integer); insert into \(prefix)\(name) values (1);"
        }
    }

    private func open(_ place: LedgerPlace, _ steps: LedgerSchema.Upgrade...) throws -> Ledger {
        try Ledger.open(
            place.session(), schema: place.schema, workspace: "default", upgrades: LedgerSchema.upgrades + steps)
    }

    /// Guarantee: many newer programs upgrade a ledger once, and it keeps what it holds; an older one keeps out.
    @Test(arguments: Engine.all) func manyUpgradersUpgradeOnce(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, place in
            let run = try #require(try ledger.begin(["a", "b"]))
            let version = LedgerSchema.version + 2
            let versions = try await Threads.run(8) { _ in
                let newer = try self.open(place, self.table("later"), self.table("latest"))
                defer { newer.session.close() }
                return try newer.values("select version from {}ledger").map { $0[0].integer }
            }
            #expect(versions == Array(repeating: [version], count: 8))
            #expect(try ledger.value("select count(*) from {}later")?.integer == 1)
            #expect(try ledger.value("select count(*) from {}latest")?.integer == 1)
            #expect(try ledger.value("select count(*) from {}jobs where run_id = $1", [.text(run)])?.integer == 2)
            for entrance in [{ try place.open() }, { try place.read() }] {
                let error = #expect(throws: LedgerError.self) { try entrance() }
                #expect(error?.code == .newer)
            }
        }
    }

    /// Guarantee: an upgrade is one transaction; one that fails leaves the old version, whole and usable.
    @Test(arguments: Engine.all) func failedUpgradeLeavesTheOldVersion(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, place in
            let error = #expect(throws: LedgerError.self) {
                try self.open(place, self.table("later"), { _ in "select nonsense" })
            }
            #expect(error?.code == .failed)
            #expect(try ledger.value("select version from {}ledger")?.integer == LedgerSchema.version)
            #expect(throws: DatabaseError.self) { try ledger.value("select count(*) from {}later") }
            try place.open().session.close()
            #expect(try ledger.begin(["a"]) != nil)
        }
    }

    /// Guarantee: a reader says of an older ledger what upgrades it, and does not do it itself.
    @Test(arguments: Engine.all) func readerDoesNotUpgrade(_ engine: Engine) async throws {
        try await LedgerPlace.withLedger(engine) { ledger, place in
            let steps = LedgerSchema.upgrades + [table("later")]
            let session = try place.session(isReadOnly: true)
            let error = #expect(throws: LedgerError.self) {
                try Ledger.read(session, schema: place.schema, workspace: "default", upgrades: steps)
            }
            #expect(error?.code == .older)
            #expect(error?.message.contains("muster apply") == true)
            #expect(try ledger.value("select version from {}ledger")?.integer == LedgerSchema.version)
        }
    }
}

import Foundation
import TestSupport

/// A database with a thousand tenants before the deploy, made once and copied by each test.
actor Fleet {
    static let shared = Fleet()
    static let size = 1_000

    private var making: Task<PostgresDatabase, any Error>?

    func template() async throws -> PostgresDatabase {
        if let making { return try await making.value }
        let task = Task {
            let database = try await PostgresDatabase.make()
            let sample = Checkout.root.appending(path: "manifests/findings-lifecycle/postgres")
            try await database.psql("\\i setup.sql\nCALL public.create_tenants(\(Self.size));", folder: sample)
            // No two tenants are alike, so that work done in the wrong one shows.
            try await database.psql(
                """
                SELECT format('UPDATE %I.findings SET asset = %L || asset; DELETE FROM %I.observations WHERE id %% 7 = %s',
                              schema_name, slug || '-', schema_name, row_number() OVER (ORDER BY slug) % 7)
                  FROM public.tenants \\gexec
                """)
            return database
        }
        making = task
        return try await task.value
    }
}

import Foundation
import TestSupport

/// A real PgBouncer in front of the test server, with two server connections for everybody.
struct Pooler: Sendable {
    private let folder: URL

    /// The address of a database through it.
    func url(_ database: PostgresDatabase) -> String {
        "postgres:///\(database.name)?host=\(folder.path)&port=6432&user=postgres"
    }

    /// - Parameter mode: `transaction` or `session`.
    static func with(
        mode: String, size: Int = 2, _ body: (Pooler) async throws -> Void
    ) async throws {
        let folder = URL(filePath: "/tmp/muster-pooler-\(UUID().uuidString.prefix(8).lowercased())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let environment = ProcessInfo.processInfo.environment
        let settings = """
            [databases]
            * = host=\(environment["PGHOST"] ?? "") port=\(environment["PGPORT"] ?? "5432") user=postgres
            [pgbouncer]
            listen_addr =
            listen_port = 6432
            unix_socket_dir = \(folder.path)
            auth_type = any
            pool_mode = \(mode)
            default_pool_size = \(size)
            max_client_conn = 200
            server_idle_timeout = 600

            """
        try Data(settings.utf8).write(to: folder.appending(path: "pgbouncer.ini"))
        // PgBouncer refuses to run as root.
        let asOther = getuid() == 0 ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] : []
        if getuid() == 0 { try await Command("chown", "-R", "postgres", folder.path).output() }
        let running = try Command(asOther + ["pgbouncer", "\(folder.path)/pgbouncer.ini"], folder: folder).start()
        defer { running.send(SIGINT) }
        let isUp = try await eventually {
            FileManager.default.fileExists(atPath: folder.appending(path: ".s.PGSQL.6432").path)
        }
        guard isUp else {
            running.send(SIGKILL)
            throw CommandFailure("PgBouncer did not start: \(try await running.ending())")
        }
        do {
            try await body(Pooler(folder: folder))
        } catch {
            running.send(SIGINT)
            _ = try? await running.ending(within: .seconds(10))
            throw error
        }
        running.send(SIGINT)
        _ = try await running.ending(within: .seconds(10))
    }
}

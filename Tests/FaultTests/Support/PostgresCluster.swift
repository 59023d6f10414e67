import Foundation
import TestSupport

/// A PostgreSQL server of one test, which the test may restart and stop as it likes.
struct PostgresCluster: Sendable {
    private let folder: URL
    private let binaries: String
    private let prefix: [String]

    /// Lends a server with one database `fleet`; it is gone afterwards.
    static func with(connections: Int = 100, _ body: (PostgresCluster, PostgresDatabase) async throws -> Void)
        async throws
    {
        let folder = URL(filePath: "/tmp/muster-cluster-\(UUID().uuidString.prefix(8).lowercased())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let cluster = try await PostgresCluster(in: folder)
        try await cluster.create(connections)
        do {
            let address = "host=\(folder.path)&port=5432&user=postgres"
            try await Command("psql", "postgres:///postgres?\(address)", "-XqAt", "-c", "CREATE DATABASE fleet")
                .output()
            try await body(cluster, PostgresDatabase(name: "fleet", url: "postgres:///fleet?\(address)"))
        } catch {
            try? await cluster.control("stop", "-m", "immediate")
            throw error
        }
        try? await cluster.control("stop", "-m", "immediate")
    }

    private init(in folder: URL) async throws {
        self.folder = folder
        binaries = try await Command("pg_config", "--bindir").output().trimmingCharacters(in: .whitespacesAndNewlines)
        // PostgreSQL refuses to run as root.
        guard getuid() == 0 else {
            prefix = []
            return
        }
        prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        try await Command("chown", "postgres", folder.path).output()
    }

    private func create(_ connections: Int) async throws {
        try await Command(
            prefix + [
                "\(binaries)/initdb", "--pgdata=\(data)", "--username=postgres", "--auth=trust", "--encoding=UTF8",
                "--no-locale", "--no-sync",
            ], folder: folder
        ).output()
        // A crash of the server alone loses nothing that was written: the kernel keeps it.
        let settings = """
            unix_socket_directories = '\(folder.path)'
            listen_addresses = ''
            max_connections = \(connections)
            fsync = off
            max_locks_per_transaction = 256

            """
        let file = try FileHandle(forWritingTo: folder.appending(path: "data/postgresql.conf"))
        try file.seekToEnd()
        try file.write(contentsOf: Data(settings.utf8))
        try file.close()
        try await start()
    }

    /// What the server has written down so far.
    func log() throws -> String { try String(contentsOf: folder.appending(path: "log"), encoding: .utf8) }

    /// A streaming replica of it, asked like the fleet; it is gone afterwards.
    func withReplica(_ body: (PostgresDatabase) async throws -> Void) async throws {
        let home = folder.appending(path: "replica").path
        try await Command(
            prefix + [
                "\(binaries)/pg_basebackup", "--pgdata=\(home)", "--write-recovery-conf", "--checkpoint=fast",
                "--no-sync",
                "--host=\(folder.path)", "--port=5432", "--username=postgres",
            ], folder: folder
        ).output()
        // It tells often how far it is, also while nothing comes.
        let file = try FileHandle(forWritingTo: URL(filePath: home).appending(path: "postgresql.conf"))
        try file.seekToEnd()
        try file.write(contentsOf: Data("port = 5433\nwal_receiver_status_interval = 1s\n".utf8))
        try file.close()
        try await control("start", of: home)
        do {
            try await body(
                PostgresDatabase(
                    name: "fleet", url: "postgres:///fleet?host=\(folder.path)&port=5433&user=postgres"))
        } catch {
            try? await control("stop", "-m", "immediate", of: home)
            throw error
        }
        try await control("stop", "-m", "immediate", of: home)
    }

    private var data: String { folder.appending(path: "data").path }

    func start() async throws { try await control("start") }

    func stop(_ mode: String) async throws { try await control("stop", "-m", mode) }

    /// `fast` ends every session and stops; `immediate` is a crash.
    func restart(_ mode: String) async throws { try await control("restart", "-m", mode) }

    /// The server must not inherit descriptors: Foundation takes a program for running as long as anybody has its own.
    private func control(_ arguments: String..., of home: String? = nil) async throws {
        let closing = "for fd in /proc/$$/fd/*; do fd=${fd##*/}; ((fd <= 2)) || eval \"exec $fd>&-\"; done; exec \"$@\""
        try await Command(
            ["bash", "-c", closing, "bash"] + prefix + [
                "\(binaries)/pg_ctl", "--pgdata=\(home ?? data)", "--log=\(home ?? folder.path)/log", "-w", "-s",
            ] + arguments,
            folder: folder
        ).output()
    }
}

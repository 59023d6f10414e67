package import DatabaseAccess
import Foundation
import Glibc
import Synchronization

/// A Unix socket between a client and the test server, for connections that break: at any moment it is cut, or the
/// server's answers vanish on the way.
package final class PostgresProxy: Sendable {
    package struct Failure: Error {
        let call: String
        let code: Int32
    }

    private struct State {
        var sockets: [Int32] = []
        var threads = 0
        var isStopped = false
    }

    private let state = Mutex(State())
    private let dropsAnswers = Atomic(false)
    private let folder: TemporaryFolder
    private let isSilent: Bool

    /// Lends a proxy in front of the server of ci/with-postgres.
    ///
    /// - Parameter isSilent: connections are accepted and never answered.
    package static func with<Answer>(
        isSilent: Bool = false, _ body: (PostgresProxy) async throws -> Answer
    ) async throws -> Answer {
        try await TemporaryFolder.with { folder in
            let proxy = PostgresProxy(folder, isSilent: isSilent)
            try proxy.start()
            defer { proxy.stop() }
            return try await body(proxy)
        }
    }

    private init(_ folder: TemporaryFolder, isSilent: Bool) {
        self.folder = folder
        self.isSilent = isSilent
    }

    /// The folder to give as `host`.
    package var host: String { folder.path.hasSuffix("/") ? String(folder.path.dropLast()) : folder.path }

    /// The URL through the proxy, with more parameters.
    package func url(_ parameters: String...) throws -> ConnectionURL {
        let all = ["host=\(host)", "port=5432", "user=postgres"] + parameters
        return try ConnectionURL(parsing: "postgres:///postgres?\(all.joined(separator: "&"))")
    }

    /// Breaks every connection that stands now; later ones work again.
    package func cut() {
        defer { dropsAnswers.store(false, ordering: .releasing) }
        state.withLock { state in
            for socket in state.sockets.dropFirst() { shutdown(socket, Int32(SHUT_RDWR)) }
        }
    }

    /// From now on the server works and nobody hears of it, until `cut()`.
    package func dropAnswers() { dropsAnswers.store(true, ordering: .releasing) }

    private func start() throws {
        let listener = try unsafe Self.socket(folder.path(".s.PGSQL.5432")) { unsafe bind($0, $1, $2) }
        guard listen(listener, 16) == 0 else { throw Failure(call: "listen", code: errno) }
        keep(listener)
        thread { [self] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { return }
                keep(client)
                if isSilent { continue }
                guard let server = try? unsafe Self.socket(Self.serverPath, { unsafe connect($0, $1, $2) }) else {
                    return
                }
                keep(server)
                thread { [self] in pump(client, server) { false } }
                thread { [self] in pump(server, client) { self.dropsAnswers.load(ordering: .acquiring) } }
            }
        }
    }

    /// A connection that arrives while the proxy stops is broken at once.
    private func keep(_ socket: Int32) {
        state.withLock { state in
            state.sockets.append(socket)
            if state.isStopped { shutdown(socket, Int32(SHUT_RDWR)) }
        }
    }

    private func stop() {
        state.withLock { state in
            state.isStopped = true
            for socket in state.sockets { shutdown(socket, Int32(SHUT_RDWR)) }
        }
        while state.withLock({ $0.threads }) > 0 { Thread.sleep(forTimeInterval: 0.002) }
        state.withLock { state in
            for socket in state.sockets { close(socket) }
        }
    }

    private func thread(_ body: @escaping @Sendable () -> Void) {
        state.withLock { $0.threads += 1 }
        Thread { [self] in
            body()
            state.withLock { $0.threads -= 1 }
        }.start()
    }

    private func pump(_ source: Int32, _ sink: Int32, drops: () -> Bool) {
        var bytes = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = unsafe read(source, &bytes, bytes.count)
            guard count > 0 else { break }
            if drops() { continue }
            var sent = 0
            while sent < count {
                let written = unsafe bytes[sent..<count].withUnsafeBytes {
                    unsafe send(sink, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard written > 0 else { break }
                sent += written
            }
            guard sent == count else { break }
        }
        shutdown(source, Int32(SHUT_RDWR))
        shutdown(sink, Int32(SHUT_RDWR))
    }

    private static var serverPath: String {
        let environment = ProcessInfo.processInfo.environment
        return "\(environment["PGHOST"] ?? "/run/postgresql")/.s.PGSQL.\(environment["PGPORT"] ?? "5432")"
    }

    private static func socket(
        _ path: String, _ use: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws -> Int32 {
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { throw Failure(call: "socket", code: errno) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        let answer = unsafe withUnsafeBytes(of: &address) { bytes in
            unsafe bytes.withMemoryRebound(to: sockaddr.self) {
                unsafe use(socket, $0.baseAddress!, socklen_t(bytes.count))
            }
        }
        guard answer == 0 else {
            close(socket)
            throw Failure(call: "bind or connect to \(path)", code: errno)
        }
        return socket
    }
}

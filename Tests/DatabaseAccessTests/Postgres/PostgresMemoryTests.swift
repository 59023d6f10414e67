import DatabaseAccess
import Foundation
import TestSupport
import Testing

/// Alone among themselves: they watch the memory of the whole process.
@Suite(.needsPostgres, .serialized) struct PostgresMemoryTests {
    /// A gigabyte of rows goes through a script without staying.
    @Test func aHugeResultOfAScriptIsDropped() async throws {
        try await PostgresServer.withSession { session in
            let before = try Self.residentBytes()
            var result: StatementResult?
            try session.run("SELECT generate_series(1, 1000000), repeat('x', 1000)", as: nil) { result = $1 }
            #expect(result?.rowCount == 1_000_000)
            #expect(result?.firstRow?[0] == .integer(1))
            #expect(try Self.residentBytes() - before < 150_000_000)
        }
    }

    @Test func rowsOfAQueryAreLentNotKept() async throws {
        try await PostgresServer.withSession { session in
            let before = try Self.residentBytes()
            var sum = 0
            try session.query("SELECT generate_series(1, 300000), repeat('x', 1000)", []) { row throws(DatabaseError) in
                sum += row[0].integer ?? 0
            }
            #expect(sum == 300_000 * 300_001 / 2)
            #expect(try Self.residentBytes() - before < 150_000_000)
        }
    }

    /// proc(5), /proc/self/statm: the second number counts resident pages.
    private static func residentBytes() throws -> Int {
        let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
        return (Int(text.split(separator: " ")[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE))
    }
}

import DatabaseAccess
import TestSupport
import Testing

@Suite(.needsPostgres) struct PostgresValueTests {
    @Test func valuesAreReadByTheirType() async throws {
        let cases: [(String, DatabaseValue)] = [
            ("true", .boolean(true)), ("false", .boolean(false)), ("null::bool", .null),
            ("(-32768)::int2", .integer(-32768)), ("2147483647", .integer(2_147_483_647)),
            ("9223372036854775807", .integer(.max)), ("1.5::float4", .real(1.5)), ("1e308::float8", .real(1e308)),
            ("'-Infinity'::float8", .real(-.infinity)), ("1.50::numeric", .text("1.50")),
            ("12345678901234567890", .text("12345678901234567890")), ("'x'::name", .text("x")),
            ("'{\"a\": 1}'::json", .text("{\"a\": 1}")), ("array[1,2]", .text("{1,2}")),
            ("'\\x00ff'::bytea", .blob([0, 255])), ("''::bytea", .blob([])), ("''", .text("")),
            ("'a'::char(3)", .text("a  ")), ("row(1,'x')", .text("(1,x)")),
        ]
        try await PostgresServer.withSession { session in
            for (expression, value) in cases {
                #expect(try session.row("SELECT \(expression)")?[0] == value, "\(expression)")
            }
            guard case .real(let number)? = try session.row("SELECT 'NaN'::float8")?[0] else {
                Issue.record("NaN is no number")
                return
            }
            #expect(number.isNaN)
            try session.run("CREATE DOMAIN positive AS int8 CHECK (value > 0)")
            #expect(try session.row("SELECT 5::positive")?[0] == .integer(5))
            try session.run("SET bytea_output = 'escape'")
            #expect(try session.row("SELECT '\\x005cff41'::bytea")?[0] == .blob([0, 0x5c, 255, 0x41]))
        }
    }

    /// Parameters take the type of the place they stand in.
    @Test func parametersMeetColumnsOfAnyType() async throws {
        try await PostgresServer.withSession { session in
            try session.run(
                "CREATE TABLE t (i int2, j int8, n numeric, f float4, b bool, t text, u uuid, d timestamptz, x jsonb, a int[])"
            )
            let values: [DatabaseValue] = [
                7, .integer(.min), 12, .real(0.5), true, "text", "8b5f1d0e-0f2c-4c3e-9a53-0d3a4c1b2a39",
                "2026-01-02T03:04:05Z", "{\"k\": [1]}", "{1,2}",
            ]
            let places = (1...values.count).map { "$\($0)" }.joined(separator: ", ")
            #expect(try session.affected("INSERT INTO t VALUES (\(places))", values) == 1)
            #expect(try session.integer("SELECT count(*) FROM t WHERE i = $1 AND b = $2", [7, true]) == 1)
            #expect(try session.integer("SELECT count(*) FROM generate_series(1, $1::int8) LIMIT $2", [9, 1]) == 9)
            #expect(try session.row("SELECT $1::text IS NULL", [.null])?[0] == .boolean(true))
        }
    }

    @Test func parametersThatCannotBeSentAreRefused() async throws {
        try await PostgresServer.withSession { session in
            let nul = try #require(throws: DatabaseError.self) {
                try session.execute("SELECT $1, $2", ["fine", "a\0b"])
            }
            #expect(nul.code == .refused)
            #expect(nul.message.contains("$2"))
            let many = [DatabaseValue](repeating: 1, count: 65536)
            let tooMany = try #require(throws: DatabaseError.self) { try session.execute("SELECT 1", many) }
            #expect(tooMany.code == .refused)
            let missing = try #require(throws: DatabaseError.self) {
                try session.execute("SELECT $1::int, $2::int", [1])
            }
            #expect(missing.sqlState == "08P01")
            #expect(session.isUsable)
            #expect(try session.integer("SELECT 1") == 1)
        }
    }
}

import DatabaseAccess
import TestSupport
import Testing

@Suite struct PostgresTextTests {
    static let hostile = [
        "a", "A b", "select", "a\"b", "\"", "\"\"", "a'b", "'", "''; DROP TABLE t; --", "a\\b", "\\", "\\'", "\\\\'",
        "a\nb",
        "a\r\n\tb", "tänant", "🙂👩‍👩‍👧", "e\u{0301}", "'\u{0301}", "\"\u{0301}", "\\\u{0301}'", "\u{200d}'\u{200d}\"",
        "\u{0600}'", "$1", "$$", "$a$", "%s", "--", "/*", "U&\"x\"", "E'x'", "pg_temp", "$user",
        String(repeating: "ä\"", count: 21), String(repeating: "'", count: 10_000),
    ]

    /// The server's own functions say the same, apart from quoting a name only where it has to be.
    @Test(.needsPostgres) func agreesWithTheServersOwnQuoting() async throws {
        try await PostgresServer.withSession { session in
            for name in Self.hostile {
                let theirs = try #require(
                    try session.row("SELECT quote_ident($1), quote_literal($1)", [.text(name)]))
                let identifier = try PostgresText.quoteIdentifier(name)
                #expect([theirs[0].text, theirs[0].text.map { "\"\($0)\"" }].contains(identifier))
                #expect(theirs[1].text == (try PostgresText.quoteLiteral(name)))
            }
        }
    }

    /// What goes in comes out, in a message of several statements, under either reading of backslashes.
    @Test(.needsPostgres, arguments: ["on", "off"])
    func quotedTextIsReadBackAsItWas(_ standardStrings: String) async throws {
        try await PostgresServer.withSession { session in
            try session.run("SET standard_conforming_strings = \(standardStrings); SET escape_string_warning = off")
            for name in Self.hostile {
                let literal = try PostgresText.quoteLiteral(name)
                let identifier = try PostgresText.quoteIdentifier(name)
                var answers: [StatementResult] = []
                try session.run("SELECT \(literal); SELECT 1 AS \(identifier)", as: nil) { answers.append($1) }
                #expect(answers.count == 2)
                #expect(answers.first?.firstRow?[0] == .text(name))
                // Names are cut to 63 bytes.
                let column = try #require(answers.last?.firstRow?.columns.first)
                #expect(name.unicodeScalars.starts(with: column.unicodeScalars))
                #expect(column.utf8.count == name.utf8.count || (62...63).contains(column.utf8.count))
            }
        }
    }

    @Test(.needsPostgres) func hostileSchemasAreMadeAndEntered() async throws {
        try await PostgresServer.withSession { session in
            for name in Self.hostile where name.utf8.count <= 63 && !name.hasPrefix("pg_") && name != "$user" {
                let schema = try PostgresText.quoteIdentifier(name)
                try session.run("CREATE SCHEMA \(schema); SET search_path = \(schema)")
                #expect(try session.text("SELECT current_schema()::text") == name)
            }
        }
    }

    @Test func whatPostgresCannotHoldIsRefused() throws {
        #expect(throws: DatabaseError.self) { try PostgresText.quoteIdentifier("a\0b") }
        #expect(throws: DatabaseError.self) { try PostgresText.quoteIdentifier("") }
        #expect(throws: DatabaseError.self) { try PostgresText.quoteLiteral("\0") }
        #expect(try PostgresText.quoteLiteral("") == "''")
    }
}

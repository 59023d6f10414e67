import ManifestFiles
import RunbookModel
import Testing

struct SQLLexerStatementsTests {
    private func texts(_ text: String, _ dialect: SQLDialect) -> [String] {
        SQLLexer.script(path: "s.sql", text: text, dialect: dialect, transactional: true).script.statements.map(\.text)
    }

    @Test(
        "PostgreSQL's statements end where the server ends them",
        arguments: [
            ("", []),
            (" \n;; -- only\n/* comments */;", []),
            ("select 1", ["select 1"]),
            ("select 1;select 2;", ["select 1", "select 2"]),
            ("-- lead\nselect 1 -- tail\n;", ["select 1"]),
            ("select /* in; */ 1", ["select /* in; */ 1"]),
            ("select ';' ; select 2", ["select ';'", "select 2"]),
            ("select 'a''b;'; x", ["select 'a''b;'", "x"]),
            (#"select 'a\'; x"#, [#"select 'a\'"#, "x"]),
            (#"select E'a\';'; x"#, [#"select E'a\';'"#, "x"]),
            (#"select fooE'a\'; x"#, [#"select fooE'a\'"#, "x"]),
            ("select e'a'\n'\\';'; x", ["select e'a'\n'\\';'", "x"]),
            ("select e'a' -- c\n -- ;\n'\\';'; x", ["select e'a' -- c\n -- ;\n'\\';'", "x"]),
            ("select e'a' '\\'; x", ["select e'a' '\\'", "x"]),
            (#"select U&'\'; x"#, [#"select U&'\'"#, "x"]),
            (#"select "a"";"; x"#, [#"select "a"";""#, "x"]),
            ("select $$;$$; x", ["select $$;$$", "x"]),
            ("select $a$;$b$;$$;$a$; x", ["select $a$;$b$;$$;$a$", "x"]),
            ("select $a$ $a$a$; x", ["select $a$ $a$a$", "x"]),
            ("select a$a$;b$a$; x", ["select a$a$", "b$a$", "x"]),
            ("select $1;$2", ["select $1", "$2"]),
            ("select 1$$;$$;x", ["select 1$$;$$", "x"]),
            ("select $1$;$1$", ["select $1$", "$1$"]),
            ("select 1 /* a /* b */ ; */; x", ["select 1", "x"]),
            ("select 1 +/* ; */ 2; x", ["select 1 +/* ; */ 2", "x"]),
            ("select 1 @--;\n 2; x", ["select 1 @--;\n 2", "x"]),
            ("select (1;2); x", ["select (1;2)", "x"]),
            ("select 1); x", ["select 1)", "x"]),
            ("select a[1;2]; x", ["select a[1", "2]", "x"]),
            ("select `; x", ["select `", "x"]),
            ("-- a\rselect 1;\r-- b\rx", ["select 1", "x"]),
            ("create function f() begin atomic a; b; end; x", ["create function f() begin atomic a; b; end", "x"]),
            ("create function f() begin atomic end; x", ["create function f() begin atomic end", "x"]),
            (
                "create procedure f() begin atomic select case when 1 then 2 end; end; x",
                ["create procedure f() begin atomic select case when 1 then 2 end; end", "x"]
            ),
            (
                "create function f(begin atomic) as 'x'; end; x",
                ["create function f(begin atomic) as 'x'", "end", "x"]
            ),
            ("create table f (begin atomic); x", ["create table f (begin atomic)", "x"]),
            ("select begin atomic; end; x", ["select begin atomic", "end", "x"]),
            ("create functional begin atomic; x", ["create functional begin atomic", "x"]),
        ] as [(String, [String])])
    func postgreSQL(text: String, expected: [String]) {
        #expect(texts(text, .postgresql) == expected)
    }

    @Test(
        "SQLite's statements end where sqlite3_prepare ends them",
        arguments: [
            ("", []),
            ("select 1;;select 2", ["select 1", "select 2"]),
            ("select 'a''b;', \"c;\", `d;`, [e;]; x", ["select 'a''b;', \"c;\", `d;`, [e;]", "x"]),
            (#"select 'a\'; x"#, [#"select 'a\'"#, "x"]),
            (#"select E'a\'; x"#, [#"select E'a\'"#, "x"]),
            ("select [a]];x", ["select [a]]", "x"]),
            ("select 1 /* /* ; */; x", ["select 1", "x"]),
            ("select 1 /*/ ; */; x", ["select 1", "x"]),
            ("select (1;2)", ["select (1", "2)"]),
            ("select $$;$$", ["select $$", "$$"]),
            ("-- a\r;x\nb", ["b"]),
            ("select $a(;); x", ["select $a(;)", "x"]),
            ("select $a(; ); x", ["select $a(; )", "x"]),
            ("create trigger t begin a; b; end; x", ["create trigger t begin a; b; end", "x"]),
            ("create trigger t begin a; end /* ; */ ; x", ["create trigger t begin a; end", "x"]),
            ("create trigger t begin select end; end; x", ["create trigger t begin select end; end", "x"]),
            (
                "create trigger t begin a; /*;*/ -- end\n end; x",
                [
                    "create trigger t begin a; /*;*/ -- end\n end", "x",
                ]
            ),
            ("create trigger t begin a; [end]; end; x", ["create trigger t begin a; [end]; end", "x"]),
            (
                "explain query plan create temporary trigger t begin a; end; x",
                [
                    "explain query plan create temporary trigger t begin a; end", "x",
                ]
            ),
            ("create table trigger(a); end; x", ["create table trigger(a)", "end", "x"]),
            ("begin; select 1; end; x", ["begin", "select 1", "end", "x"]),
        ] as [(String, [String])])
    func sqlite(text: String, expected: [String]) {
        #expect(texts(text, .sqlite) == expected)
    }

    @Test("offsets and lengths count Unicode scalars of the normalised text, lines its newlines")
    func offsetsCountScalars() throws {
        let text = "\u{feff}-- 😀é\r\nselect 'e\u{301}';\r\n\r\nselect '日本\r\n';"
        let script = SQLLexer.script(path: "s.sql", text: text, dialect: .sqlite, transactional: true).script
        #expect(script.text == "-- 😀é\nselect 'e\u{301}';\n\nselect '日本\n';")
        #expect(script.path == "s.sql")
        #expect(script.checksum == "sha256:" + SHA256.hex(script.text))
        #expect(script.statements.map(\.line) == [2, 4])
        #expect(script.statements.map(\.offset) == [6, 20])
        #expect(script.statements.map(\.length) == [11, 12])
    }

    @Test("a text with CRLF and a BOM has the checksum of the same text without")
    func checksumIgnoresLineEnds() {
        let unix = SQLLexer.script(path: "a", text: "select 1;\nx;\n", dialect: .sqlite, transactional: true)
        let windows = SQLLexer.script(
            path: "b", text: "\u{feff}select 1;\r\nx;\r\n", dialect: .sqlite, transactional: true)
        #expect(unix.script.checksum == windows.script.checksum)
    }

    @Test(
        "CONCURRENTLY is seen on indexes and partitions, and nowhere else",
        arguments: [
            ("create index concurrently i on t (a)", true),
            ("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)", true),
            ("drop index concurrently if exists i", true),
            ("reindex index concurrently i", true),
            ("reindex (verbose) table concurrently t", true),
            ("reindex (concurrently) table t", true),
            ("reindex (concurrently true, verbose) table t", true),
            ("reindex (concurrently false) table t", false),
            ("reindex table t", false),
            ("alter table only a.t detach partition \"b\".p concurrently", true),
            ("alter table t detach partition p finalize", false),
            ("alter table t detach partition p", false),
            ("create index on t (concurrently)", false),
            ("create index i on t (a) -- concurrently", false),
            ("create index \"concurrently\" on t (a)", false),
            ("refresh materialized view concurrently v", false),
        ])
    func concurrently(text: String, expected: Bool) {
        let script = SQLLexer.script(path: "s", text: text, dialect: .postgresql, transactional: false).script
        #expect(script.statements.map(\.isConcurrent) == [expected])
        let sqlite = SQLLexer.script(path: "s", text: text, dialect: .sqlite, transactional: false).script
        #expect(sqlite.statements.map(\.isConcurrent) == [false])
    }
}

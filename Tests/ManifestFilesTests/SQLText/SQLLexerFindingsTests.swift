import ManifestFiles
import Testing

struct SQLLexerFindingsTests {
    typealias Rule = SQLFinding.Rule

    private func found(_ text: String, _ dialect: SQLDialect, transactional: Bool = true) -> [SQLFinding] {
        SQLLexer.script(path: "s.sql", text: text, dialect: dialect, transactional: transactional).findings
    }

    @Test("each corpus script passes without a finding", arguments: SQLCorpus.postgresql)
    func acceptsPostgreSQL(text: String) {
        #expect(found(text, .postgresql) == [])
    }

    @Test("each corpus script passes without a finding", arguments: SQLCorpus.sqlite)
    func acceptsSQLite(text: String) {
        #expect(found(text, .sqlite) == [])
    }

    @Test(
        "what is open at the end is found at the line where it opened",
        arguments: [
            ("select 1;\nselect '\n;\n", .postgresql, .openString, 2),
            ("select 1;\nselect E'\\'\n;\n", .postgresql, .openString, 2),
            ("select 1;\nselect e'a'\n'b\\'", .postgresql, .openString, 2),
            ("select E'\\", .postgresql, .openString, 1),
            ("select 1;\nselect \"a\n", .postgresql, .openIdentifier, 2),
            ("select 1\n/* /* */\n", .postgresql, .openComment, 2),
            ("/*", .postgresql, .openComment, 1),
            ("\nselect $a$ $b$ $$ $a", .postgresql, .openDollarQuote, 2),
            ("\nselect (1, (2);\nselect 3", .postgresql, .openParenthesis, 2),
            ("create function f()\nbegin atomic\nselect 1;", .postgresql, .openBody, 2),
            ("\n\nselect 'a", .sqlite, .openString, 3),
            ("select [a", .sqlite, .openIdentifier, 1),
            ("select `a", .sqlite, .openIdentifier, 1),
            ("select \"a", .sqlite, .openIdentifier, 1),
            ("select 1;\n/* open", .sqlite, .openComment, 2),
            ("select 1; /*", .sqlite, .openComment, 1),
            ("\ncreate trigger t begin select 1;", .sqlite, .openBody, 2),
        ] as [(String, SQLDialect, Rule, Int)])
    func open(text: String, dialect: SQLDialect, rule: Rule, line: Int) {
        let findings = found(text, dialect)
        #expect(findings.map(\.rule) == [rule])
        #expect(findings.map(\.line) == [line])
    }

    @Test(
        "commands of the engines' shells are found with their line",
        arguments: [
            ("select 1;\n\\i other.sql\nselect 2;", .postgresql, 2),
            ("\\c other", .postgresql, 1),
            ("select 1 \\gx\n", .postgresql, 1),
            ("\\echo it's\nselect 1;", .postgresql, 1),
            ("\\copy t from 'file;'\n", .postgresql, 1),
            ("\n\\.\n", .postgresql, 2),
            ("select 1;\n.read other.sql\nselect 2;", .sqlite, 2),
            (".mode box", .sqlite, 1),
        ] as [(String, SQLDialect, Int)])
    func metaCommands(text: String, dialect: SQLDialect, line: Int) {
        for transactional in [true, false] {
            let findings = found(text, dialect, transactional: transactional)
            #expect(findings.map(\.rule) == [.metaCommand])
            #expect(findings.map(\.line) == [line])
        }
    }

    @Test("what looks like a shell's command inside quotes, comments and names passes")
    func metaCommandsInQuotesPass() {
        #expect(found("select '\n\\i x\n', $$\n\\c\n$$; -- \\i\n/* \\c */", .postgresql) == [])
        #expect(found("select a\n.b from '\n.read x'", .sqlite) == [])
    }

    @Test(
        "COPY from or to the client is found, whatever stands between",
        arguments: [
            "copy t from stdin", "COPY public.\"t\" (a, \"b\") FROM STDIN WITH (FORMAT csv)", "copy t to stdout",
            "copy (select 1; ) to stdout", "copy (select * from t) TO STDOUT csv", "copy binary t from stdin",
            "copy t from stdout", "copy t to stdin", "/* a */ copy /* b */ t -- c\n from stdin",
        ])
    func copyStreams(text: String) {
        #expect(found(text, .postgresql).map(\.rule) == [.copyStream])
        #expect(found(text, .postgresql, transactional: false).map(\.rule) == [.copyStream])
    }

    @Test("COPY from and to the server's files passes")
    func copyFilesPass() {
        #expect(
            found("copy stdin from '/f'; copy t to program 'cat'; copy (select a as stdin from t) to 'x'", .postgresql)
                == [])
    }

    @Test("the rows behind a COPY FROM STDIN are not read as SQL")
    func copyDataIsSkipped() {
        let text = "copy t from stdin;\n1\tit's\n2\t$$\n\\.\ncommit;\ncopy t from stdin;\nit's"
        let findings = found(text, .postgresql)
        #expect(findings.map(\.rule) == [.copyStream, .transactionControl, .copyStream, .openString])
        #expect(findings.map(\.line) == [1, 5, 6, 7])
    }

    @Test(
        "whatever begins or ends a transaction is refused in every script",
        arguments: [
            "begin", "BEGIN", "Begin work", "begin isolation level serializable", "start transaction", "commit",
            "commit and chain", "COMMIT WORK", "commit prepared 'x'", "end", "end transaction", "rollback",
            "rollback work", "rollback and no chain", "rollback prepared 'x'", "abort", "abort work",
            "prepare transaction 'x'", "/* a */ commit", "-- x\rcommit", "select 1; commit", ";commit;", "commit -- ;",
            "commit/**/work", "\u{c}commit", "prepare transaction U&'x'", "prepare transaction $$x$$",
        ])
    func transactionControl(text: String) {
        for transactional in [true, false] {
            #expect(found(text, .postgresql, transactional: transactional).map(\.rule) == [.transactionControl])
        }
    }

    @Test(
        "whatever begins or ends a transaction is refused in every SQLite script",
        arguments: [
            "begin", "begin immediate", "BEGIN EXCLUSIVE TRANSACTION", "commit", "end", "end transaction", "rollback",
            "rollback transaction", "rollback transaction x",
        ])
    func transactionControlInSQLite(text: String) {
        for transactional in [true, false] {
            #expect(found(text, .sqlite, transactional: transactional).map(\.rule) == [.transactionControl])
        }
    }

    @Test(
        "savepoints pass inside Muster's transaction and are refused outside",
        arguments: ["savepoint a", "release a", "release savepoint a", "rollback to a", "rollback work to savepoint a"])
    func savepoints(text: String) {
        #expect(found(text, .postgresql) == [])
        #expect(found(text, .postgresql, transactional: false).map(\.rule) == [.transactionControl])
        let sqlite = text.replacing("work", with: "transaction")
        #expect(found(sqlite, .sqlite) == [])
        #expect(found(sqlite, .sqlite, transactional: false).map(\.rule) == [.transactionControl])
    }

    @Test(
        "what PostgreSQL refuses in a transaction is refused with `transaction: false` as the way out",
        arguments: [
            "create index concurrently on t (a)", "create unique index concurrently i on t (a)",
            "drop index concurrently i", "reindex table concurrently t", "reindex (concurrently) table t",
            "reindex database concurrently d", "reindex database d", "reindex system d", "reindex schema s",
            "reindex (verbose) schema s", "vacuum", "vacuum (full, analyze) t", "create database d",
            "drop database if exists d", "create tablespace s location 'x'", "drop tablespace s",
            "alter system set work_mem = 1", "alter database d set tablespace s",
            "alter table t detach partition p concurrently", "create subscription s connection '' publication p",
            "drop subscription s", "alter subscription s refresh publication", "cluster", "cluster verbose",
            "cluster (verbose)",
        ])
    func outsideTransaction(text: String) throws {
        let finding = try #require(found(text, .postgresql).first)
        #expect(finding.rule == .outsideTransaction)
        #expect(finding.remedy.contains("`transaction: false`"))
        #expect(found(text, .postgresql, transactional: false) == [])
    }

    @Test(
        "what looks like such a statement passes",
        arguments: [
            "create index on t (a)", "drop index i", "reindex table t", "reindex index i", "analyze t",
            "alter tablespace s rename to r", "alter database d set work_mem = 1", "cluster t", "cluster t using i",
            "cluster verbose t", "cluster \"t\"", "cluster (verbose) t", "alter table t detach partition p",
            "alter subscription s disable", "alter type t add value 'x'", "checkpoint", "discard plans",
            "discard temp", "reset work_mem", "set transaction read only", "create table vacuum (a int)",
            "refresh materialized view concurrently v", "drop table system", "comment on database d is 'vacuum;'",
            "create table t (concurrently int)", "select commit from t", "insert into t values ('commit; begin')",
            "prepare transaction as select 1", "explain vacuum",
        ])
    func lookAlikesPass(text: String) {
        #expect(found(text, .postgresql) == [])
    }

    @Test("RESET ALL and DISCARD ALL are refused where they take away what the run relies on")
    func sessionResets() {
        #expect(found("reset all", .postgresql).map(\.rule) == [.sessionReset])
        #expect(found("reset all", .postgresql, transactional: false) == [])
        #expect(found("discard all", .postgresql).map(\.rule) == [.sessionReset])
        #expect(found("discard all", .postgresql, transactional: false).map(\.rule) == [.sessionReset])
    }

    @Test("SQLite's VACUUM needs `transaction: false`; another file is never reached for")
    func sqliteStatements() {
        #expect(found("vacuum", .sqlite).map(\.rule) == [.outsideTransaction])
        #expect(found("vacuum into 'x'", .sqlite, transactional: false) == [])
        for transactional in [true, false] {
            #expect(found("attach 'x' as y", .sqlite, transactional: transactional).map(\.rule) == [.attachment])
            #expect(found("detach database y", .sqlite, transactional: transactional).map(\.rule) == [.attachment])
        }
    }

    @Test(
        "PRAGMAs of the connection are refused inside a transaction",
        arguments: [
            "foreign_keys = off", "foreign_keys=0", "main.journal_mode = wal", "\"main\".synchronous(0)",
            "WRITABLE_SCHEMA = 1", "locking_mode = exclusive", "busy_timeout(5)", "query_only", "temp . query_only = 1",
        ])
    func connectionPragmas(text: String) {
        #expect(found("pragma \(text)", .sqlite).map(\.rule) == [.connectionPragma])
        #expect(found("pragma \(text)", .sqlite, transactional: false) == [])
    }

    @Test("a script without a statement is a finding, also when it holds comments")
    func emptyScripts() {
        for dialect in SQLDialect.allCases {
            for text in ["", "\u{feff}", "\n;;\n", "-- nothing\n/* here */;"] {
                #expect(found(text, dialect).map(\.rule) == [.empty])
            }
        }
    }

    @Test("a NUL character is a finding with its line")
    func nulCharacters() {
        let findings = found("select 1;\nselect '\0'", .sqlite)
        #expect(findings.map(\.rule) == [.nulCharacter])
        #expect(findings.map(\.line) == [2])
    }

    @Test("all findings are reported, in the order of their lines, each with a message and a remedy")
    func allFindings() {
        let findings = found("begin;\n\\i x\nvacuum;\ncopy t to stdout;\ncommit;\nselect '", .postgresql)
        #expect(findings.map(\.line) == [1, 2, 3, 4, 5, 6])
        #expect(
            findings.map(\.rule) == [
                .transactionControl, .metaCommand, .outsideTransaction, .copyStream, .transactionControl, .openString,
            ])
        #expect(findings.allSatisfy { !$0.message.isEmpty && !$0.remedy.isEmpty })
    }
}

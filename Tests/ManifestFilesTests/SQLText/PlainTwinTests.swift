import ManifestFiles
import RunbookModel
import Testing

@Suite struct PlainTwinTests {
    private func script(_ text: String, _ dialect: SQLDialect = .postgresql) -> SQLScript {
        SQLLexer.script(path: "s", text: text, dialect: dialect, transactional: false).script
    }

    /// Guarantee: of a concurrent build the one word is blanked, wherever else it stands, so that positions stay.
    @Test(arguments: [
        ("CREATE INDEX CONCURRENTLY i ON t (a)", "CREATE INDEX              i ON t (a)"),
        ("create unique index concurrently on t (a)", "create unique index              on t (a)"),
        (
            "create index/*concurrently*/concurrently\n\"concurrently\" on t (concurrently) -- concurrently",
            "create index/*concurrently*/            \n\"concurrently\" on t (concurrently)"
        ),
        ("drop index concurrently if exists i", "drop index              if exists i"),
    ])
    func oneWordIsBlanked(_ text: String, _ twin: String) {
        #expect(script(text).statements.map(\.plainTwin?.text) == [twin])
    }

    /// Guarantee: names are as the server stores them.
    @Test(
        arguments: [
            ("create index concurrently on t (a)", nil, "t", nil),
            ("create index concurrently By_A on T using gin (a)", "by_a", "T", nil),
            ("create index concurrently if not exists \"A\"\"b\" on only app.\"T\" (a)", "A\"b", "app.\"T\"", "app"),
            ("create index concurrently if on t (a)", "if", "t", nil),
        ] as [(String, String?, String, String?)])
    func namesAreRead(_ text: String, _ index: String?, _ table: String, _ schema: String?) throws {
        let twin = try #require(script(text).statements.first?.plainTwin)
        #expect(twin.work == .build(index: index, table: table))
        #expect(twin.schema == schema)
    }

    /// Guarantee: a script has a plain twin when each statement builds an index concurrently, or takes away first what an
    /// interrupted build of the same one may have left; nothing else has one, and nothing has one in SQLite.
    @Test(arguments: [
        ("create index concurrently i on t (a)", true),
        ("create index concurrently i on t (a); create unique index concurrently if not exists j on s.t (b);", true),
        ("drop index concurrently if exists i; create index concurrently i on t (a)", true),
        ("drop index concurrently if exists I restrict; create index concurrently \"i\" on t (a)", true),
        ("drop index concurrently if exists s.i; create index concurrently i on s.t (a)", true),
        ("drop index concurrently if exists i", false),
        ("drop index concurrently i; create index concurrently i on t (a)", false),
        ("drop index concurrently if exists i; create index concurrently j on t (a)", false),
        ("drop index concurrently if exists i; create index concurrently \"I\" on t (a)", false),
        ("drop index concurrently if exists s.i; create index concurrently i on t (a)", false),
        ("drop index concurrently if exists i cascade; create index concurrently i on t (a)", false),
        ("create index concurrently i on t (a); drop index concurrently if exists i", false),
        ("create index concurrently i on t (a); vacuum t", false),
        ("create index concurrently i on t (a); select 1", false),
        ("create index i on t (a)", false),
        ("create index concurrently i on t* (a)", false),
        ("create index concurrently i on only (t) (a)", false),
        ("create index concurrently i on U&\"t\" (a)", false),
        ("create index concurrently i on d.s.t (a)", false),
        ("create index concurrently bücher on t (a)", false),
        ("create index concurrently if not i on t (a)", false),
        ("reindex index concurrently i", false),
        ("refresh materialized view concurrently v", false),
        ("vacuum t", false),
        ("", false),
    ])
    func rule(_ text: String, _ expected: Bool) {
        #expect(script(text).hasPlainTwin == expected)
        #expect(!script(text, .sqlite).hasPlainTwin)
    }
}

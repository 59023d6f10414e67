import ManifestFiles
import RunbookModel
import Testing

/// Where the parameters of a batch stand.
struct BatchStatementTests {
    private func read(_ text: String, _ dialect: SQLDialect = .postgresql) throws -> BatchStatement {
        let script = SQLLexer.script(path: "b.sql", text: text, dialect: dialect, transactional: true).script
        return BatchStatement(try #require(script.statements.first), dialect: dialect)
    }

    @Test("names become numbers in the order of their first use, and nothing moves")
    func numbers() throws {
        let text = "select :cursor::bigint, x from t where id > :cursor limit :limit"
        let statement = try read(text)
        #expect(statement.text == "select $1     ::bigint, x from t where id > $1      limit $2    ")
        #expect(statement.parameters == [.cursor, .limit])
        #expect(statement.problems.isEmpty)
        #expect(statement.text.unicodeScalars.count == text.unicodeScalars.count)
    }

    @Test("SQLite has its own spelling")
    func sqlite() throws {
        let statement = try read("delete from t where id in (select id from t where id>:cursor limit :limit)", .sqlite)
        #expect(statement.text == "delete from t where id in (select id from t where id>?1      limit ?2    )")
        #expect(statement.parameters == [.cursor, .limit])
    }

    @Test(
        "quotes, comments, casts and slices hold none",
        arguments: [
            "select ':limit'", "select $$ :cursor $$", "select $a$ :limit $a$", "select E'\\':limit'",
            "select /* :limit /* :cursor */ */ 1", "select -- :cursor\n 1", "select a::limit", "select \":limit\"",
            "select a[1:cursor]", "select x from f(a := 1)", "select a[ :cursor ]",
        ])
    func notThere(text: String) throws {
        let statement = try read(text)
        #expect(statement.parameters.isEmpty)
        #expect(statement.problems.isEmpty)
        #expect(statement.text == text)
    }

    @Test("a cast right behind a parameter, and a parameter right behind an operator, are what they look like")
    func neighbours() throws {
        #expect(try read("select 1 where a=:cursor::text||:limit").text == "select 1 where a=$1     ::text||$2    ")
        #expect(try read("select (:limit)").text == "select ($1    )")
    }

    @Test("other parameters are refused with their line and the nearest name")
    func others() throws {
        let problems = try read("select 1\nfrom t\nwhere a > :curser and b = $1 limit :limit").problems
        #expect(problems.map(\.line) == [3, 3])
        #expect(problems.map(\.message) == [":curser is no parameter of a batch", "$1 is no parameter of a batch"])
        #expect(problems.map(\.remedy) == ["did you mean :cursor?", "a batch has :limit and :cursor"])
        #expect(try read("select ?1, @limit, $cursor, :LIMIT", .sqlite).problems.count == 4)
    }
}

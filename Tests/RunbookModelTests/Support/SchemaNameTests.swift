import RunbookModel
import Testing

struct SchemaNameTests {
    @Test(arguments: [
        "acme", "Acme \"quoted\"; DROP", "t\u{E4}nant", String(repeating: "a", count: 63), "public", "line\nend",
    ])
    func takesAnyNameThatPostgreSQLKeeps(name: String) {
        #expect(SchemaName.problem(name) == nil)
    }

    @Test(arguments: ["", "$user", "pg_catalog", "pg_temp", "information_schema", "a\0b"])
    func refusesNamesThatMeanSomethingElse(name: String) {
        #expect(SchemaName.problem(name) != nil)
    }

    /// PostgreSQL counts bytes and cuts the rest off.
    @Test func countsBytes() {
        #expect(SchemaName.problem(String(repeating: "a", count: 64)) != nil)
        #expect(SchemaName.problem(String(repeating: "\u{E4}", count: 32)) != nil)
        #expect(SchemaName.problem(String(repeating: "\u{E4}", count: 31)) == nil)
    }

    /// Guarantee: a name that is refused does not break the line of the error that names it.
    @Test func refusedNamesArePrintable() {
        #expect(SchemaName.problem("pg_a\u{1}\n") == #""pg_a\u{01}\n" belongs to PostgreSQL"#)
    }
}

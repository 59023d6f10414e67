import RunbookModel
import Testing

struct ColumnTemplateTests {
    @Test func fillsColumnsIn() throws {
        let template = try ColumnTemplate("postgres://{host}/app_{id}?x={id}")
        #expect(template.columns == ["host", "id"])
        #expect(try template.filled { ["host": "db", "id": "a%20b"][$0] } == "postgres://db/app_a%20b?x=a%20b")
    }

    /// A value is never read as a template again.
    @Test func aValueWithBracesStaysAsItIs() throws {
        #expect(try ColumnTemplate("{id}{id}").filled { _ in "{id}" } == "{id}{id}")
    }

    @Test func aMissingColumnIsNamed() throws {
        let template = try ColumnTemplate("{schema}")
        let error = #expect(throws: ColumnTemplateError.self) { try template.filled { _ in nil } }
        #expect(error?.message == "there is no column \"schema\"")
    }

    @Test(arguments: ["", "plain", "{id}", "a{id}b{plan-tier}c", "{\u{E4}}", "{a.b}", "{column_2}"])
    func isWellFormed(text: String) throws {
        let template = try ColumnTemplate(text)
        #expect(try template.filled { "{\($0)}" } == text)
    }

    @Test(arguments: ["{", "}", "{}", "{a", "a}", "{{a}}", "{a b}", "{a;b}", "{\"a\"}", "}{", "{a}}"])
    func isMalformed(text: String) {
        #expect(throws: ColumnTemplateError.self) { try ColumnTemplate(text) }
    }
}

import RunbookModel
import Testing

struct TenantLineTests {
    private func tenant(_ line: String) throws -> Tenant? { try TenantLine.tenant(json: Array(line.utf8), number: 7) }

    @Test("id, schema and url are known; every other scalar is a label, as text")
    func readsAnObject() throws {
        let line = #"""
            {"id": "acme", "schema": "s", "url": "postgres://u:p@h/d", "plan": "pro", "seats": 12, "big": 9223372036854775807,
             "share": 0.5, "active": true, "trial": false, "gone": null, "text": "1", "empty": "", "ü": "😀\n"}
            """#
        let tenant = try #require(try tenant(line))
        #expect(tenant.id == "acme")
        #expect(tenant.schema == "s")
        #expect(tenant.url?.revealed == "postgres://u:p@h/d")
        #expect(
            tenant.labels == [
                "plan": "pro", "seats": "12", "big": "9223372036854775807", "share": "0.5", "active": "true",
                "trial": "false", "text": "1", "empty": "", "ü": "😀\n",
            ])
    }

    @Test("a number is an id too; null counts as absent")
    func scalars() throws {
        #expect(try tenant(#"{"id": 42, "schema": null, "url": null}"#) == Tenant(id: "42"))
        #expect(try tenant(#"{"id": -1}"#) == Tenant(id: "-1"))
        #expect(try tenant(#"{"id": 18446744073709551615}"#) == Tenant(id: "18446744073709551615"))
    }

    @Test("a line of white space is none", arguments: ["", "  ", "\r", "\t \n"])
    func blankLines(line: String) throws {
        #expect(try tenant(line) == nil)
    }

    @Test(
        "what makes no tenant is refused with its line, and without its values",
        arguments: [
            "acme", "[]", "\"acme\"", "12", "null", "{", #"{"id": "a"} {"id": "b"}"#, "{}",
            #"{"ID": "secret"}"#, #"{"id": null, "url": "secret"}"#, #"{"id": "a", "tags": ["secret"]}"#,
            #"{"id": "a", "nested": {"b": "secret"}}"#, #"{"id": ["secret"]}"#, "\u{feff}\u{feff}{}",
            "{'id': 'secret'}",
        ])
    func refusals(line: String) throws {
        let error = try #require(throws: TenantFinding.self) { try tenant(line) }
        #expect(error.rule == .source)
        #expect(error.message.contains("line 7"))
        #expect(!error.description.contains("secret"))
        #expect(!error.remedy.isEmpty)
    }

    @Test(
        "a name given twice is refused, however it is written: which value counts would be chance",
        arguments: [
            #"{"id": "a", "schema": "x", "schema": "y"}"#, #"{"id": "a", "id": "a"}"#,
            #"{"id": "a", "plan": "p", "pl\u0061n": "q"}"#, #"{"id": "a", "plan": null, "plan": "q"}"#,
            #"{"id": "a", "é": "1", "e\u0301": "2"}"#,
        ])
    func namesTwice(line: String) throws {
        let error = try #require(throws: TenantFinding.self) { try tenant(line) }
        #expect(error.message == "line 7 of the tenants gives a name twice")
    }

    @Test("colons, quotes and backslashes inside of texts are no names")
    func punctuation() throws {
        let line = #"{"id": "a:\":\\", "x:y\"": "{\"b\": 1}", "path": "c:\\"}"#
        #expect(try tenant(line) == Tenant(id: #"a:":\"#, labels: [#"x:y""#: #"{"b": 1}"#, "path": #"c:\"#]))
    }

    @Test("a name with a control character breaks no line of the error")
    func oddNames() throws {
        let missing = try #require(throws: TenantFinding.self) { try tenant(#"{"id\n": "a"}"#) }
        #expect(missing.message.hasSuffix(#"no "id"; "id\u{a}" is a label"#))
        let twice = try #require(throws: TenantFinding.self) {
            try TenantLine.tenant(row: [("id", "a"), ("x\n", "1"), ("x\n", "2")], number: 1)
        }
        #expect(twice.message == #"the query has two columns "x\u{a}""#)
    }

    @Test("a nested value is named by its key")
    func nestedValues() throws {
        let error = try #require(throws: TenantFinding.self) { try tenant(#"{"id": "a", "tags": []}"#) }
        #expect(error.message.contains("\"tags\""))
    }

    @Test("bytes that are no UTF-8 are refused, not replaced")
    func invalidUTF8() throws {
        let error = try #require(throws: TenantFinding.self) {
            try TenantLine.tenant(json: [UInt8](#"{"id": "a"#.utf8) + [0xff] + [UInt8](#""}"#.utf8), number: 1)
        }
        #expect(error.message.contains("UTF-8"))
    }

    @Test("an empty address is refused: it would mean the ledger's database")
    func emptyAddress() throws {
        let error = try #require(throws: TenantFinding.self) { try tenant(#"{"id": "a", "url": ""}"#) }
        #expect(error.tenant == "a")
    }

    @Test("no prefix of a line traps")
    func prefixes() {
        let line = Array(#"{"id": "a\u00e9", "n": -1.5e3, "t": true, "x": null, "o": {"a": [1]}}"#.utf8)
        for count in 0..<line.count {
            #expect((try? TenantLine.tenant(json: line[..<count], number: 1)) == nil)
        }
    }

    @Test("blank lines make no tenant and count in the line that an error names")
    func blankLinesCount() throws {
        #expect(
            try TenantLine.tenants(lines: Array("\n{\"id\": \"a\"}\r\n \n{\"id\": \"b\"}\n\n".utf8)).map(\.id) == [
                "a", "b",
            ])
        let error = try #require(throws: TenantFinding.self) {
            try TenantLine.tenants(lines: Array("\n\n{\"id\": \"a\"}\nacme\n".utf8))
        }
        #expect(error.message.contains("line 4"))
    }

    @Test("a row gives the same tenant as an object")
    func rows() throws {
        let row: [(column: String, text: String?)] = [
            ("id", "acme"), ("schema", "s"), ("url", nil), ("plan", "pro"), ("gone", nil),
        ]
        #expect(try TenantLine.tenant(row: row, number: 1) == Tenant(id: "acme", schema: "s", labels: ["plan": "pro"]))
    }

    @Test("a row without id, with a null id or with a column twice is refused")
    func badRows() throws {
        for row in [[("slug", "a")], [("id", nil)], [("id", "a"), ("x", "1"), ("x", nil)], []] as [[(String, String?)]]
        {
            let error = try #require(throws: TenantFinding.self) {
                try TenantLine.tenant(row: row.map { (column: $0.0, text: $0.1) }, number: 3)
            }
            #expect(error.rule == .source)
        }
    }
}

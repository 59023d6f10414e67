import Foundation
import Testing

@testable import ManifestFiles

/// Muster's parser takes the JSON5 that Foundation's decoder takes, and refuses what that one refuses.
struct JSONParserTests {
    static let documents = [
        "{}", "{a:1}", "{'a':1,}", "[1,]", "[,]", "[1,,2]", "[1,,]", "{,}", "{a:0x10}", "{a:+1}", "{a:.5}", "{a:5.}",
        "{a:Infinity}", "{a:-Infinity}", "{a:NaN}", "{a:01}", "{a:1e3}", "{a:1e999}", "{a:'x\\\ny'}", "{a:'\\x41'}",
        "{a:'\\0'}", "{a:'\\1'}", "{a:'\\q'}", "{a:\"tab\there\"}", "{a:'line\nbreak'}", "{a:1} // c", "{a:1} /* c",
        "/* c */ {a:1}", "{a:1}x", "{a:1}{", "{a-b:1}", "{$a_1:1}", "{\u{E4}:1}", "{1a:1}", "{\\u0061:1}",
        "{'a':true,b:false,c:null}", "{a:True}", "{a:'\\ud83d\\ude00'}", "{a:'\\ud83d'}", "{a:'\\udc00'}",
        "{a:'\u{2028}'}", "{a:\u{A0}1}", "{a:1 b:2}", "{a 1}", "{a:}", "", " ", "1", "'x'", "[1", "{a:1", "{a:'x",
        "{a:--1}", "{a:- 1}", "{a:0x}", "{a:1.2.3}", "{a:1_000}", "{a:99999999999999999999999}", "{a:'\u{0}'}",
        "{a:1,a:2}", "{a:\u{0B}1}", "{a:\u{0C}1}", "{a:1e}", "{a:.}", "{a:-.5}", "{a:-0x1F}", "{a:'\\u00e'}",
        "{true:1}", "{null:1}", "{a:'\\\r\nb'}", "{a:'\\\rb'}", "// only", "{a:1//x\n}", "{a:/**/1}", "{a:1,/*x*/}",
        "{a:\"it's\", b:'say \"x\"'}", "{a:'\u{1}'}", "{a:'\\f\\b\\/'}", "{a:'\u{7F}'}", "1//x\rb", "+Infinity",
        "+NaN", "Infinit", "0x1.5", "0x1e3", "0XAB", "+0x1", "00", "-01", "0.5", "-0", "0E+1", "1.e3", ".e1", "1E5",
        "{'':1}", "{a\\u0062:1}", "{a\u{301}:1}", "{_:1}", "'\\x4'", "'\\u0000'", "'\\x00'", "[[1],]", "nul", "nullx",
        "truefalse", "/", "/*", "/**", "{/**/}", "[1/**/,/**/2]", "1/", "{a/**/:1}", "0x1g", "1x", "{a:1};",
        "'\\u{41}'", "{a:[}", "[}", "0b1", "0xFFFFFFFFFFFFFFFFFF", "{\u{3BB}x:1}", "{\u{2460}:1}", "{\u{1F600}:1}",
        "'\u{1F600}'", "{a:undefined}", "\u{2028}1",
    ]

    @Test(arguments: documents)
    func agreesWithFoundation(document: String) {
        let decoder = JSONDecoder()
        decoder.allowsJSON5 = true
        let isFoundations = (try? decoder.decode(Anything.self, from: Data(document.utf8))) != nil
        let isOurs = (try? JSONParser.parse(document)) != nil
        #expect(isOurs == isFoundations)
    }

    /// Where the two differ on purpose: JSON5 has these, and Foundation does not take them.
    @Test(arguments: ["0e1", "'\\v'", "{\"a\\tb\":1}"])
    func takesWhatTheSpecificationHas(document: String) {
        #expect(throws: Never.self) { try JSONParser.parse(document) }
    }

    @Test func keepsNamesPlacesAndSpellings() throws {
        let text = "{ // first\n  a: 0x10,\r\n\t'b\u{E4}': ['\u{1F600}', +1.50], a: null }"
        let node = try JSONParser.parse(text)
        let lines = TextLines(text)
        guard case .object(let members) = node.value else { throw JSONSyntaxError(message: "no object", offset: 0) }
        #expect(members.map(\.name) == ["a", "b\u{E4}", "a"])
        #expect(members.map { lines.place(ofByte: $0.offset) } == [place(2, 3), place(3, 2), place(3, 22)])
        #expect(
            members[1].value.elements?.map { lines.place(ofByte: $0.range.lowerBound) } == [place(3, 9), place(3, 14)])
        #expect(members[0].value.integer == 16)
        #expect(members[1].value.elements?[1].number == 1.5)
    }

    private func place(_ line: Int, _ column: Int) -> TextPlace { TextPlace(line: line, column: column) }

    @Test(arguments: [
        ("8", 8), ("+8", 8), ("-8", -8), ("0x10", 16), ("-0x10", -16), ("8.0", 8), ("8.", 8), ("1e3", 1000),
        ("1.5", nil),
        ("Infinity", nil), ("NaN", nil), ("9223372036854775807", Int.max), ("9223372036854775808", nil),
        ("-9223372036854775808", Int.min), ("0xFFFFFFFFFFFFFFFF", nil), (".5", nil),
    ])
    func readsWholeNumbersExactly(spelling: String, value: Int?) {
        #expect(JSONNumber.integer(spelling) == value)
    }

    /// Whatever bytes come, the parser ends with a value or an error, and soon.
    @Test func survivesDamagedText() throws {
        let text = try String(
            contentsOfFile: "\(ManifestSchemaTests.accepted)/everything-postgres.json5", encoding: .utf8)
        let scalars = Array(text.unicodeScalars)
        var generator = SystemRandomNumberGenerator()
        for cut in stride(from: 0, to: scalars.count, by: 7) {
            var damaged = String.UnicodeScalarView(scalars[..<cut])
            _ = try? JSONParser.parse(String(damaged))
            damaged.append(contentsOf: scalars[cut...].dropFirst(Int.random(in: 1...20, using: &generator)))
            _ = try? JSONParser.parse(String(damaged))
        }
        for hostile in ["[", "{a:", "/*", "'", "\\", "-", "{'", "[[],"] {
            let error = #expect(throws: JSONSyntaxError.self) {
                try JSONParser.parse(String(repeating: hostile, count: 100_000))
            }
            #expect(error != nil)
        }
    }
}

/// Decodes any JSON, so that the decoder has read all of it.
private struct Anything: Decodable {
    init(from decoder: any Decoder) throws {
        if let object = try? decoder.container(keyedBy: Name.self) {
            for key in object.allKeys { _ = try object.decode(Anything.self, forKey: key) }
        } else if var list = try? decoder.unkeyedContainer() {
            while !list.isAtEnd { _ = try list.decode(Anything.self) }
        } else {
            let value = try decoder.singleValueContainer()
            if value.decodeNil() || (try? value.decode(Bool.self)) != nil || (try? value.decode(String.self)) != nil {
                return
            }
            _ = try value.decode(Double.self)
        }
    }

    private struct Name: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}

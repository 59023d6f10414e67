import ManifestFiles
import RunbookModel
import Testing

struct SQLLexerRobustnessTests {
    /// Whatever the text, each statement is found again at its offset, in order, none overlapping, and starts on its line.
    private func check(_ text: String, _ dialect: SQLDialect, sourceLocation: SourceLocation = #_sourceLocation) {
        let (script, findings) = SQLLexer.script(path: "s", text: text, dialect: dialect, transactional: true)
        let scalars = Array(script.text.unicodeScalars)
        var end = 0
        var line = 1
        var counted = 0
        for statement in script.statements {
            let fits =
                statement.offset >= end && statement.length > 0
                && statement.offset + statement.length <= scalars.count
            guard fits else {
                Issue.record("statement out of place in \(text.debugDescription)", sourceLocation: sourceLocation)
                return
            }
            end = statement.offset + statement.length
            line += scalars[counted..<statement.offset].count { $0 == "\n" }
            counted = statement.offset
            #expect(statement.line == line, "\(text.debugDescription)", sourceLocation: sourceLocation)
            #expect(
                Array(statement.text.unicodeScalars) == Array(scalars[statement.offset..<end]),
                "\(text.debugDescription)", sourceLocation: sourceLocation)
        }
        #expect(!script.statements.isEmpty || !findings.isEmpty, sourceLocation: sourceLocation)
        #expect(findings.allSatisfy { $0.line >= 1 }, sourceLocation: sourceLocation)
    }

    @Test(
        "every prefix of every corpus script is read, by both dialects",
        arguments: SQLCorpus.postgresql + SQLCorpus.sqlite)
    func prefixes(text: String) {
        let scalars = text.unicodeScalars
        for count in 0...scalars.count {
            let prefix = String(String.UnicodeScalarView(scalars.prefix(count)))
            for dialect in SQLDialect.allCases { check(prefix, dialect) }
        }
    }

    @Test("random mutations of the corpus are read, by both dialects", arguments: 0..<8)
    func mutations(seed: UInt64) {
        var random = SplitMix(state: seed)
        let corpus = SQLCorpus.postgresql + SQLCorpus.sqlite
        let pieces = [
            "'", "\"", "`", "[", "]", "$", "$$", "$a$", "/*", "*/", "--", "\n", "\r", ";", "(", ")", "\\", "E'", ".",
            " begin atomic ", " end ", " create function ", " create trigger ", " case ", "\0", "é", "😀", "\u{feff}",
            "copy t from stdin;", "\\.\n", "\u{301}",
        ]
        for _ in 0..<250 {
            var scalars = Array(corpus.randomElement(using: &random)!.unicodeScalars)
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let place = Int.random(in: 0...scalars.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: scalars.insert(contentsOf: pieces.randomElement(using: &random)!.unicodeScalars, at: place)
                case 1:
                    scalars.removeSubrange(place..<min(scalars.count, place + Int.random(in: 0...9, using: &random)))
                default:
                    let other = Array(corpus.randomElement(using: &random)!.unicodeScalars)
                    scalars.insert(
                        contentsOf: other[Int.random(in: 0..<other.count, using: &random)...].prefix(40), at: place)
                }
            }
            let text = String(String.UnicodeScalarView(scalars))
            for dialect in SQLDialect.allCases { check(text, dialect) }
        }
    }

    @Test(
        "deep nesting and long runs of one thing neither overflow nor take more than linear time",
        arguments: [
            "(", ")", "/*", "*/", "'", "\"", "$", "$a", "$$", "$a$", "[", "e'\\", "e'a'\n", "--\n", "\\", ";", "a;",
            "copy t from stdin;\n", "begin atomic ", "create trigger ", "case end ", "😀", "\0", "$a(", "1$", "\r", "`",
            "create function f() begin atomic ", "e'a' --\n",
        ])
    func runs(piece: String) {
        let text = String(repeating: piece, count: 60_000)
        let clock = ContinuousClock()
        for dialect in SQLDialect.allCases {
            let spent = clock.measure {
                _ = SQLLexer.script(path: "s", text: text, dialect: dialect, transactional: true)
            }
            #expect(spent < .seconds(20), "\(piece) took \(spent)")
        }
    }

    @Test("five megabytes are read in reasonable time", arguments: SQLDialect.allCases)
    func largeScript(dialect: SQLDialect) {
        let row = "insert into t (a, b) values (1, 'some text; with '' quotes'), (2, 'é'); -- a comment\n"
        let text = String(repeating: row, count: 5_000_000 / row.utf8.count)
        let clock = ContinuousClock()
        var count = 0
        let spent = clock.measure {
            count =
                SQLLexer.script(path: "s", text: text, dialect: dialect, transactional: true)
                .script.statements.count
        }
        #expect(count == 5_000_000 / row.utf8.count)
        #expect(spent < .seconds(60), "\(spent)")
    }
}

/// A generator whose numbers follow from its seed.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

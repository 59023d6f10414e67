import ManifestFiles
import RunbookModel

/// What holds for every script, in both dialects.
package enum SQLProperties {
    package static func check(_ bytes: [UInt8]) throws {
        let text = String(decoding: bytes, as: UTF8.self)
        // Either by chance: it changes what is refused, not where statements end.
        let transactional = bytes.count.isMultiple(of: 2)
        for dialect in SQLDialect.allCases { try check(text, dialect, transactional: transactional) }
        try demandLinearTime(bytes, share: 512) { long in
            let text = String(decoding: long, as: UTF8.self)
            for dialect in SQLDialect.allCases { _ = read(text, dialect, transactional: true) }
        }
    }

    private static func read(
        _ text: String, _ dialect: SQLDialect, transactional: Bool
    ) -> (script: SQLScript, findings: [SQLFinding]) {
        SQLLexer.script(path: "s.sql", text: text, dialect: dialect, transactional: transactional)
    }

    private static func check(_ text: String, _ dialect: SQLDialect, transactional: Bool) throws {
        let (script, findings) = read(text, dialect, transactional: transactional)
        let scalars = Array(script.text.unicodeScalars)
        try demand(!script.statements.isEmpty || !findings.isEmpty, "no statement, and nothing is said of it")
        let lines = 1 + scalars.count { $0 == "\n" }
        try demand(findings.allSatisfy { 1...lines ~= $0.line }, "a finding outside the text")

        // Other words may stand between statements only where a finding tells of them.
        let hasSkipped = findings.contains { $0.rule == .metaCommand || $0.rule == .copyStream }
        var end = 0
        var line = 1
        for statement in script.statements {
            try demand(statement.offset >= end && statement.length > 0, "statements overlap")
            try demand(statement.offset + statement.length <= scalars.count, "a statement outside the text")
            let gap = scalars[end..<statement.offset]
            line += gap.count { $0 == "\n" }
            try demand(statement.line == line, "a statement on another line")
            if !hasSkipped { try demandEmpty(gap, dialect) }
            end = statement.offset + statement.length
            let own = scalars[statement.offset..<end]
            line += own.count { $0 == "\n" }
            try demand(own.elementsEqual(statement.text.unicodeScalars), "a statement that does not stand there")
        }
        if !hasSkipped {
            try demandEmpty(scalars[end...], dialect)
            try demandSamePieces(script, findings, dialect, transactional: transactional)
        }
    }

    /// Nothing that an engine would run lies between statements.
    private static func demandEmpty(_ gap: ArraySlice<Unicode.Scalar>, _ dialect: SQLDialect) throws(Violation) {
        let statements = read(text(gap), dialect, transactional: true).script.statements
        try demand(statements.isEmpty, "left out: \(statements.map(\.text))")
    }

    /// The pieces, printed one below the other, are read as the same pieces.
    private static func demandSamePieces(
        _ script: SQLScript, _ findings: [SQLFinding], _ dialect: SQLDialect, transactional: Bool
    ) throws {
        let open: Set<SQLFinding.Rule> = [
            .openString, .openIdentifier, .openComment, .openDollarQuote, .openParenthesis, .openBody,
        ]
        // CR CR LF leaves CR LF, which would not stay when it is read again.
        guard Checksum.normalized(script.text.utf8).elementsEqual(script.text.utf8) else { return }
        guard !script.statements.isEmpty, !findings.contains(where: { open.contains($0.rule) }) else { return }
        // Not at the very start, where a byte order mark would be dropped.
        let printed = "\n" + script.statements.map { $0.text + "\n;\n" }.joined()
        let again = read(printed, dialect, transactional: transactional)
        try demand(again.script.statements.map(\.text) == script.statements.map(\.text), "other pieces when printed")
        // A NUL may have stood in a comment.
        let (before, after) = (
            findings.map(\.rule).filter { $0 != .nulCharacter },
            again.findings.map(\.rule).filter { $0 != .nulCharacter }
        )
        try demand(before == after, "\(before) of the text, \(after) of its pieces")
    }

    private static func text(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        String(String.UnicodeScalarView(scalars))
    }
}

package import RunbookModel

/// Reads SQL text: cuts it into statements and finds what must not be sent.
///
/// Any text is read to its end, in time linear to its length.
package enum SQLLexer {
    /// - Parameters:
    ///   - path: as the manifest names it; findings do not repeat it.
    ///   - text: as it stands in the file. The script's text is without BOM and has LF line ends.
    ///   - transactional: whether the script runs inside Muster's transaction.
    /// - Returns: the script, and what is to be refused, by line.
    package static func script(
        path: String, text: String, dialect: SQLDialect, transactional: Bool
    ) -> (script: SQLScript, findings: [SQLFinding]) {
        let bytes = Checksum.normalized(text.utf8)
        var splitter = SQLStatementSplitter(bytes, dialect, transactional: transactional)
        splitter.readAll()
        let script = SQLScript(
            path: path, text: String(decoding: bytes, as: UTF8.self), statements: splitter.statements,
            checksum: Checksum.of(bytes))
        return (script, splitter.findings.sorted { $0.line < $1.line })
    }
}

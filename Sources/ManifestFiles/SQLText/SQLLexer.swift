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
        let bytes = normalised(text)
        var splitter = SQLStatementSplitter(bytes, dialect, transactional: transactional)
        splitter.readAll()
        let script = SQLScript(
            path: path, text: String(decoding: bytes, as: UTF8.self), statements: splitter.statements,
            checksum: "sha256:" + SHA256.hex(bytes))
        return (script, splitter.findings.sorted { $0.line < $1.line })
    }

    /// The UTF-8 bytes without a BOM at the start, each CRLF an LF.
    private static func normalised(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\n"), bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
            bytes.append(byte)
        }
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { bytes.removeFirst(3) }
        return bytes
    }
}

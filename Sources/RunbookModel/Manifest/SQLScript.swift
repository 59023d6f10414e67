/// A script as it is sent: normalised (no BOM, LF line ends) and cut into statements by the lexer.
package struct SQLScript: Sendable, Hashable {
    /// As the manifest names it; the manifest's own path for inline SQL.
    package var path: String
    package var text: String
    package var statements: [SQLStatement]
    /// `sha256:<hex>` over `text`.
    package var checksum: String

    package init(path: String, text: String, statements: [SQLStatement], checksum: String) {
        self.path = path
        self.text = text
        self.statements = statements
        self.checksum = checksum
    }
}

/// One statement of a script, without its semicolon. Empty statements and comments alone are not listed.
package struct SQLStatement: Sendable, Hashable {
    /// From the first token to the last, comments inside kept.
    package var text: String
    /// 1-based line of the first token in the file.
    package var line: Int
    /// 0-based offset of the first token in the script, in Unicode scalars.
    package var offset: Int
    /// Length in Unicode scalars.
    package var length: Int
    /// Whether it builds, rebuilds or drops an index CONCURRENTLY (or detaches a partition so): time limits on locks
    /// and statements are not applied to it.
    package var isConcurrent: Bool
    /// How it can be rehearsed in a transaction; nil where it needs none for that, or cannot be.
    package var plainTwin: PlainTwin?

    package init(
        text: String, line: Int, offset: Int, length: Int, isConcurrent: Bool, plainTwin: PlainTwin? = nil
    ) {
        self.text = text
        self.line = line
        self.offset = offset
        self.length = length
        self.isConcurrent = isConcurrent
        self.plainTwin = plainTwin
    }
}

extension SQLScript {
    /// The 1-based line of a 0-based offset in Unicode scalars.
    package func line(at offset: Int) -> Int {
        1 + text.unicodeScalars.prefix(max(0, offset)).count { $0 == "\n" }
    }
}

/// A text of SQL statements as SQLite takes it: UTF-8 with a zero at its end, and places in it as byte offsets.
struct SQLiteText {
    /// With the terminating zero, so that SQLite does not copy the rest of the text for each statement.
    let bytes: [UInt8]

    /// nil when the text holds a zero: SQLite would silently stop there.
    init?(_ sql: String) {
        var bytes = Array(sql.utf8)
        guard !bytes.contains(0) else { return nil }
        bytes.append(0)
        self.bytes = bytes
    }

    /// Bytes without the terminating zero.
    var count: Int { bytes.count - 1 }

    /// The 1-based position of a byte, in Unicode scalars.
    func position(ofByte offset: Int) -> Int {
        1 + bytes.prefix(min(offset, count)).count { $0 & 0xC0 != 0x80 }
    }

    /// The first byte at or after `offset` that is neither white space nor part of a comment; `count` when there is none.
    func firstToken(from offset: Int) -> Int {
        var scanner = SQLiteScanner(bytes: bytes, offset: offset)
        scanner.skipBlanks()
        return min(scanner.offset, count)
    }

    /// The first 60 characters of the statement that begins at `offset`, for messages.
    func excerpt(from offset: Int) -> String {
        let start = firstToken(from: offset)
        let line = bytes[start..<count].prefix(240).split(whereSeparator: { $0 == 0x0A }).first ?? []
        let text = String(decoding: line, as: UTF8.self).split(separator: ";").first.map(String.init) ?? ""
        return text.count > 60 ? text.prefix(60) + "…" : text
    }

    /// Which of `names` (lower case) stand in `sql` as identifiers: not inside string literals or comments.
    static func identifiers(_ names: Set<String>, in sql: String) -> Set<String> {
        var scanner = SQLiteScanner(bytes: Array(sql.utf8) + [0], offset: 0)
        var found: Set<String> = []
        while let identifier = scanner.nextIdentifier() {
            let name = identifier.lowercased()
            if names.contains(name) { found.insert(name) }
        }
        return found
    }
}

/// Walks over SQL as SQLite's tokenizer does (tokenize.c), as far as comments, literals and identifiers go.
private struct SQLiteScanner {
    /// Ends with a zero.
    let bytes: [UInt8]
    var offset: Int

    private var current: UInt8 { bytes[offset] }
    private var next: UInt8 { offset + 1 < bytes.count ? bytes[offset + 1] : 0 }

    mutating func skipBlanks() {
        while true {
            switch (current, next) {
            case (0x09, _), (0x0A, _), (0x0C, _), (0x0D, _), (0x20, _):
                offset += 1
            case (0xEF, 0xBB) where offset + 2 < bytes.count && bytes[offset + 2] == 0xBF:
                offset += 3  // A byte order mark counts as white space.
            case (UInt8(ascii: "-"), UInt8(ascii: "-")):
                while current != 0x0A, current != 0 { offset += 1 }
            case (UInt8(ascii: "/"), UInt8(ascii: "*")) where bytes.indices.contains(offset + 2):
                offset += 2
                while current != 0, !(current == UInt8(ascii: "*") && next == UInt8(ascii: "/")) { offset += 1 }
                if current != 0 { offset += 2 }
            default:
                return
            }
        }
    }

    /// The next identifier, bare or quoted by `"`, `` ` `` or `[]`.
    mutating func nextIdentifier() -> String? {
        while true {
            skipBlanks()
            switch current {
            case 0:
                return nil
            case UInt8(ascii: "'"):
                _ = quoted(until: current)
            case UInt8(ascii: "\""), UInt8(ascii: "`"):
                return quoted(until: current)
            case UInt8(ascii: "["):
                return quoted(until: UInt8(ascii: "]"))
            case let byte where Self.continuesIdentifier(byte):
                let start = offset
                while Self.continuesIdentifier(current) { offset += 1 }
                return String(decoding: bytes[start..<offset], as: UTF8.self)
            default:
                offset += 1
            }
        }
    }

    /// Steps over a quoted token; a doubled end mark stands for itself.
    private mutating func quoted(until end: UInt8) -> String {
        var content: [UInt8] = []
        offset += 1
        while current != 0 {
            if current == end {
                guard next == end, end != UInt8(ascii: "]") else {
                    offset += 1
                    break
                }
                offset += 1
            }
            content.append(current)
            offset += 1
        }
        return String(decoding: content, as: UTF8.self)
    }

    private static func continuesIdentifier(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "$"), 0x80...:
            true
        default:
            false
        }
    }
}

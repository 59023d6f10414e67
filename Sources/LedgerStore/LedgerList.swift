import DatabaseAccess

/// Lists bound as one parameter: an array literal in PostgreSQL, a JSON array in SQLite.
///
/// They are put together as bytes: a list may have a text for each tenant.
enum LedgerList {
    static func texts(_ values: some Sequence<String?>, _ dialect: DatabaseDialect) -> DatabaseValue {
        switch dialect {
        case .postgresql:
            list(values, "{", "}") { if let value = $0 { quote(value, to: &$1) } else { $1 += "NULL".utf8 } }
        case .sqlite: .text(json(values))
        }
    }

    static func texts(_ values: some Sequence<String>, _ dialect: DatabaseDialect) -> DatabaseValue {
        switch dialect {
        case .postgresql: list(values, "{", "}") { quote($0, to: &$1) }
        case .sqlite: list(values, "[", "]") { writeJSON($0, to: &$1) }
        }
    }

    static func integers(_ values: some Sequence<Int>, _ dialect: DatabaseDialect) -> DatabaseValue {
        let (opening, closing) = dialect == .postgresql ? ("{", "}") : ("[", "]")
        return list(values, opening, closing) { $1 += String($0).utf8 }
    }

    static func booleans(_ values: some Sequence<Bool>, _ dialect: DatabaseDialect) -> DatabaseValue {
        switch dialect {
        case .postgresql: list(values, "{", "}") { $1 += ($0 ? "t" : "f").utf8 }
        case .sqlite: list(values, "[", "]") { $1 += ($0 ? "1" : "0").utf8 }
        }
    }

    /// A JSON array of texts and nulls.
    static func json(_ values: some Sequence<String?>) -> String {
        text(values, "[", "]") { if let value = $0 { writeJSON(value, to: &$1) } else { $1 += "null".utf8 } }
    }

    /// A JSON object of texts, the names in order.
    static func json(_ members: [String: String]) -> String {
        text(members.sorted { $0.key < $1.key }, "{", "}") { member, out in
            writeJSON(member.key, to: &out)
            out.append(UInt8(ascii: ":"))
            writeJSON(member.value, to: &out)
        }
    }

    /// A JSON array of objects, without the members that are null.
    static func json<Row: LedgerRow>(_ rows: [Row]) -> String {
        text(rows, "[", "]") { row, out in
            out.append(UInt8(ascii: "{"))
            var isFirst = true
            for (column, value) in zip(Row.columns, row.values) where value != .null {
                if !isFirst { out.append(UInt8(ascii: ",")) }
                isFirst = false
                writeJSON(column.name, to: &out)
                out.append(UInt8(ascii: ":"))
                switch value {
                case .boolean, .integer: out += (value.text ?? "").utf8
                case .null, .real, .text, .blob: writeJSON(value.text ?? "", to: &out)
                }
            }
            out.append(UInt8(ascii: "}"))
        }
    }

    /// A JSON string with its quotes (RFC 8259, section 7).
    static func jsonText(_ value: String) -> String {
        var out: [UInt8] = []
        writeJSON(value, to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    static func text<Element>(
        _ elements: some Sequence<Element>, _ opening: String, _ closing: String,
        _ write: (Element, inout [UInt8]) -> Void
    ) -> String {
        var out = Array(opening.utf8)
        var isFirst = true
        for element in elements {
            if !isFirst { out.append(UInt8(ascii: ",")) }
            isFirst = false
            write(element, &out)
        }
        out += closing.utf8
        return String(decoding: out, as: UTF8.self)
    }

    private static func list<Element>(
        _ elements: some Sequence<Element>, _ opening: String, _ closing: String,
        _ write: (Element, inout [UInt8]) -> Void
    ) -> DatabaseValue { .text(text(elements, opening, closing, write)) }

    static func writeJSON(_ value: String, to out: inout [UInt8]) {
        out.append(UInt8(ascii: "\""))
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                out.append(UInt8(ascii: "\\"))
                out.append(byte)
            case 0..<0x20:
                let digits = String(byte, radix: 16)
                out += ("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).utf8
            default: out.append(byte)
            }
        }
        out.append(UInt8(ascii: "\""))
    }

    /// An array literal of texts.
    static func array(_ texts: [String]) -> String { text(texts, "{", "}") { quote($0, to: &$1) } }

    /// An element of an array literal (PostgreSQL manual, 8.15.6): every one quoted, NULL bare. By bytes: in UTF-8 no
    /// other character holds the byte of an ASCII one.
    private static func quote(_ text: String, to out: inout [UInt8]) {
        out.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { out.append(UInt8(ascii: "\\")) }
            out.append(byte)
        }
        out.append(UInt8(ascii: "\""))
    }
}

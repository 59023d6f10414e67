import DatabaseAccess

/// Lists bound as one parameter: an array literal in PostgreSQL, a JSON array in SQLite.
enum LedgerList {
    static func texts(_ values: [String?], _ dialect: DatabaseDialect) -> DatabaseValue {
        switch dialect {
        case .postgresql: .text(array(values.map { $0.map(quoted) }))
        case .sqlite: .text(json(values))
        }
    }

    static func integers(_ values: [Int], _ dialect: DatabaseDialect) -> DatabaseValue {
        switch dialect {
        case .postgresql: .text(array(values.map(String.init)))
        case .sqlite: .text("[" + values.map(String.init).joined(separator: ",") + "]")
        }
    }

    static func booleans(_ values: [Bool], _ dialect: DatabaseDialect) -> DatabaseValue {
        switch dialect {
        case .postgresql: .text(array(values.map { $0 ? "t" : "f" }))
        case .sqlite: .text("[" + values.map { $0 ? "1" : "0" }.joined(separator: ",") + "]")
        }
    }

    /// A JSON array of texts and nulls.
    static func json(_ values: [String?]) -> String {
        var out = "["
        for (index, value) in values.enumerated() {
            if index > 0 { out += "," }
            if let value { out += jsonText(value) } else { out += "null" }
        }
        return out + "]"
    }

    /// A JSON string with its quotes (RFC 8259, section 7).
    static func jsonText(_ value: String) -> String {
        var out = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case let control where control.value < 0x20:
                let digits = String(control.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }

    /// An array literal of texts.
    static func array(_ texts: [String]) -> String { array(texts.map { Optional(quoted($0)) }) }

    /// An array literal (PostgreSQL manual, 8.15.6): every element quoted, NULL bare.
    private static func array(_ elements: [String?]) -> String {
        "{" + elements.map { $0 ?? "NULL" }.joined(separator: ",") + "}"
    }

    private static func quoted(_ text: String) -> String {
        var out = "\""
        // By scalars: a quote that a combining mark follows is one Character with it.
        for scalar in text.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { out += "\\" }
            out.unicodeScalars.append(scalar)
        }
        return out + "\""
    }
}

extension JSONValue {
    /// The document on one line, without a newline at its end.
    package var line: String {
        var text = ""
        write(to: &text, indentation: nil)
        return text
    }

    /// The document over several lines, two spaces a level, without a newline at its end.
    package var page: String {
        var text = ""
        write(to: &text, indentation: 0)
        return text
    }

    func write(to text: inout String, indentation: Int?) {
        switch self {
        case .null: text += "null"
        case .boolean(let value): text += value ? "true" : "false"
        case .integer(let value): text += String(value)
        // JSON has no word for them (RFC 8259, section 6).
        case .number(let value): text += value.isFinite ? String(value) : "null"
        case .text(let value): Self.quote(value, to: &text)
        case .array(let values):
            Self.writeList(values, "[", "]", to: &text, indentation) { value, text, indentation in
                value.write(to: &text, indentation: indentation)
            }
        case .object(let members):
            Self.writeList(members, "{", "}", to: &text, indentation) { member, text, indentation in
                Self.quote(member.name, to: &text)
                text += indentation == nil ? ":" : ": "
                member.value.write(to: &text, indentation: indentation)
            }
        }
    }

    private static func writeList<Item>(
        _ items: [Item], _ opening: String, _ closing: String, to text: inout String, _ indentation: Int?,
        _ write: (Item, inout String, Int?) -> Void
    ) {
        text += opening
        for (index, item) in items.enumerated() {
            if index > 0 { text += "," }
            if let indentation { breakLine(&text, indentation + 1) }
            write(item, &text, indentation.map { $0 + 1 })
        }
        if let indentation, !items.isEmpty { breakLine(&text, indentation) }
        text += closing
    }

    static func breakLine(_ text: inout String, _ indentation: Int) {
        text += "\n"
        for _ in 0..<indentation { text += "  " }
    }

    /// Escapes what RFC 8259, section 7 demands, and DEL and the C1 controls besides: a terminal would obey them.
    static func quote(_ value: String, to text: inout String) {
        text += "\""
        // Nearly every text is plain.
        if value.utf8.allSatisfy({ (0x20..<0x7F).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") })
        {
            text += value
            text += "\""
            return
        }
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}

/// What a tenant may be called.
package enum TenantID {
    /// Why an id is refused; nil when it is fine.
    package static func problem(_ id: String) -> String? {
        if id.isEmpty { return "the id is empty" }
        if id.utf8.count > 255 { return "the id is longer than 255 bytes" }
        // Nearly every id is plain, and needs no look into Unicode's tables.
        if id.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) { return nil }
        return id.unicodeScalars.contains(where: isControl)
            ? "the id holds a control character, such as a newline" : nil
    }

    /// An id in quotes, on one line, cut when it is long.
    package static func shown(_ id: String) -> String {
        var text = "\""
        for scalar in id.unicodeScalars.prefix(80) {
            switch scalar {
            case "\"", "\\": text += "\\\(scalar)"
            case _ where isControl(scalar): text += "\\u{\(String(scalar.value, radix: 16))}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + (id.unicodeScalars.count > 80 ? "…\"" : "\"")
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}

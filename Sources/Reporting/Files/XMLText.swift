/// Text in XML 1.0: escaped, and without what no XML may hold, escaped or not (section 2.2, "Characters").
enum XMLText {
    ///
    /// - Parameter isAttribute: there spaces would be made of line ends and tabs.
    static func escaped(_ text: String, isAttribute: Bool = false) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "\n": out += isAttribute ? "&#10;" : "\n"
            case "\t": out += isAttribute ? "&#9;" : "\t"
            case "\r": out += "&#13;"
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{FFFE}", "\u{FFFF}": out += "\u{FFFD}"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    /// ` name="value"` for each.
    static func attributes(_ values: KeyValuePairs<String, String?>) -> String {
        values.compactMap { name, value in value.map { " \(name)=\"\(escaped($0, isAttribute: true))\"" } }.joined()
    }
}

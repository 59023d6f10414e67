/// Turns any `Encodable` answer into JSON as scripts are promised it: members in declared order and snake_case, `null`
/// for what is nil, dates in RFC 3339 UTC with milliseconds.
package enum ReportEncoder {
    package static func value(of answer: some Encodable) throws -> JSONValue {
        let node = TreeNode()
        try node.fill(with: answer)
        return node.value
    }

    /// Writes the document piece by piece, without a newline at its end: a long list is encoded while it is written, so
    /// that neither a tree nor a text of all its elements is ever there.
    ///
    /// - Parameter isPage: over several lines, else on one.
    package static func write(_ answer: some Encodable, isPage: Bool, to write: (String) -> Void) throws {
        let node = TreeNode(isDeferring: true)
        try node.fill(with: answer)
        var text = ""
        try node.write(to: &text, indentation: isPage ? 0 : nil, flush: write)
        write(text)
    }

    /// `durationMS` becomes `duration_ms`.
    static func memberName(_ name: String) -> String {
        if name.utf8.allSatisfy({ (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }) { return name }
        var result = ""
        var followsCapital = true
        for character in name {
            if character.isUppercase {
                if !followsCapital { result += "_" }
                result += character.lowercased()
            } else {
                result.append(character)
            }
            followsCapital = character.isUppercase || character == "_"
        }
        return result
    }
}

/// Turns any `Encodable` answer into JSON as scripts are promised it: members in declared order and snake_case, `null`
/// for what is nil, dates in RFC 3339 UTC with milliseconds.
package enum ReportEncoder {
    package static func value(of answer: some Encodable) throws -> JSONValue {
        let node = TreeNode()
        try node.fill(with: answer)
        return node.value
    }

    /// `durationMS` becomes `duration_ms`.
    static func memberName(_ name: String) -> String {
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

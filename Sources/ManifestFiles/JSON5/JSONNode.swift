/// A JSON5 value and where it stands.
struct JSONNode: Sendable {
    var value: JSONValue
    /// Its bytes in the text.
    var range: Range<Int>
}

/// What a JSON5 text can say. Numbers keep their spelling; objects keep every member, repeated names included.
enum JSONValue: Sendable {
    case null
    case boolean(Bool)
    case number(String)
    case string(JSONString)
    case array([JSONNode])
    case object([JSONMember])
    /// A string whose variables could not be filled in; that was reported, and nothing more is said of it.
    case broken
}

/// One member of an object.
struct JSONMember: Sendable {
    var name: String
    /// The first byte of the name in the text.
    var offset: Int
    var value: JSONNode
}

/// A string, and how it was written before variables were filled in.
struct JSONString: Sendable {
    var text: String
    let source: String

    init(_ source: String) {
        self.text = source
        self.source = source
    }

    /// Whether a variable stands in it. Such a text is never shown; its source is.
    var isExpanded: Bool { source.contains("${") }
}

extension JSONValue {
    /// What it is, in a message: `a number`, `text`, …
    var kind: String {
        switch self {
        case .null: "null"
        case .boolean: "true or false"
        case .number: "a number"
        case .string: "text"
        case .array: "a list"
        case .object: "an object"
        case .broken: "text"
        }
    }
}

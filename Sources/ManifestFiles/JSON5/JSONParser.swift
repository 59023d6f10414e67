/// Reads one JSON5 text into a tree that knows its places.
///
/// It takes what Foundation's decoder takes with `allowsJSON5`, and keeps what that one drops: places, repeated names and
/// the spelling of numbers. Nesting is limited, so hostile text cannot exhaust the stack.
struct JSONParser {
    static let deepest = 100

    let bytes: [UInt8]
    var position = 0

    private init(_ text: String) {
        bytes = Array(text.utf8)
    }

    /// The value that the text holds.
    static func parse(_ text: String) throws(JSONSyntaxError) -> JSONNode {
        var parser = JSONParser(text)
        try parser.skipBlanks()
        let node = try parser.value(depth: 0)
        try parser.skipBlanks()
        guard parser.peek == nil else { throw parser.unexpected("after the end of the value") }
        return node
    }
}

// MARK: - Values

extension JSONParser {
    private mutating func value(depth: Int) throws(JSONSyntaxError) -> JSONNode {
        guard depth < Self.deepest else { throw error("nested more than \(Self.deepest) levels deep") }
        let start = position
        let value: JSONValue
        guard let byte = peek else { throw error("the text ends where a value should stand") }
        switch byte {
        case UInt8(ascii: "{"): value = .object(try members(depth: depth))
        case UInt8(ascii: "["): value = .array(try elements(depth: depth))
        case UInt8(ascii: "\""), UInt8(ascii: "'"): value = .string(JSONString(try string()))
        case UInt8(ascii: "t") where take("true"): value = .boolean(true)
        case UInt8(ascii: "f") where take("false"): value = .boolean(false)
        case UInt8(ascii: "n") where take("null"): value = .null
        case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "I"), UInt8(ascii: "N"):
            value = .number(try number())
        default:
            throw unexpected("where a value should stand" + (isLetter(byte) ? "; text needs quotes" : ""))
        }
        return JSONNode(value: value, range: start..<position)
    }

    private mutating func members(depth: Int) throws(JSONSyntaxError) -> [JSONMember] {
        let opening = position
        position += 1
        var members: [JSONMember] = []
        while true {
            try skipBlanks()
            if take("}") { return members }
            let start = position
            let name: String
            switch peek {
            case nil: throw JSONSyntaxError(message: "this object is never closed", offset: opening)
            case UInt8(ascii: "\""), UInt8(ascii: "'"): name = try string()
            default: name = try bareName()
            }
            try skipBlanks()
            guard take(":") else {
                throw unexpected("where \":\" should follow \(name.debugDescription); such a name needs quotes")
            }
            try skipBlanks()
            members.append(JSONMember(name: name, offset: start, value: try value(depth: depth + 1)))
            try skipBlanks()
            if take(",") || peek == UInt8(ascii: "}") { continue }
            guard peek != nil else { throw JSONSyntaxError(message: "this object is never closed", offset: opening) }
            throw unexpected("where \",\" or \"}\" should stand")
        }
    }

    private mutating func elements(depth: Int) throws(JSONSyntaxError) -> [JSONNode] {
        let opening = position
        position += 1
        var elements: [JSONNode] = []
        while true {
            try skipBlanks()
            if take("]") { return elements }
            guard peek != nil else { throw JSONSyntaxError(message: "this list is never closed", offset: opening) }
            elements.append(try value(depth: depth + 1))
            try skipBlanks()
            if take(",") || peek == UInt8(ascii: "]") { continue }
            guard peek != nil else { throw JSONSyntaxError(message: "this list is never closed", offset: opening) }
            throw unexpected("where \",\" or \"]\" should stand")
        }
    }
}

// MARK: - Reading on

extension JSONParser {
    var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    /// Goes past `word` when it stands here.
    mutating func take(_ word: StaticString) -> Bool {
        let word = word.description.utf8
        guard bytes[position...].starts(with: word) else { return false }
        position += word.count
        return true
    }

    mutating func skipBlanks() throws(JSONSyntaxError) {
        while let byte = peek {
            switch byte {
            case UInt8(ascii: " "), 0x09...0x0D: position += 1
            case UInt8(ascii: "/"): try skipComment()
            default: return
            }
        }
    }

    private mutating func skipComment() throws(JSONSyntaxError) {
        let opening = position
        if take("//") {
            while let byte = peek, byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") { position += 1 }
        } else if take("/*") {
            while !take("*/") {
                guard peek != nil else {
                    throw JSONSyntaxError(message: "this comment is never closed", offset: opening)
                }
                position += 1
            }
        } else {
            throw unexpected("outside any value")
        }
    }

    func error(_ message: String) -> JSONSyntaxError { JSONSyntaxError(message: message, offset: position) }

    /// Says what stands here and is not expected: a whole word, or one character.
    func unexpected(_ context: String) -> JSONSyntaxError {
        guard peek != nil else { return error("the text ends \(context)") }
        let word = bytes[position...].prefix { isDigit($0) || $0 == UInt8(ascii: "_") || isLetter($0) }
        if !word.isEmpty {
            return error("unexpected \"\(String(decoding: word.prefix(40), as: UTF8.self))\" \(context)")
        }
        let scalar = String(decoding: bytes[position...].prefix(4), as: UTF8.self).unicodeScalars.first ?? "?"
        if scalar.value > 0x20, scalar.value < 0x7F { return error("unexpected \"\(scalar)\" \(context)") }
        let code = String(scalar.value, radix: 16, uppercase: true)
        return error("unexpected U+\(String(repeating: "0", count: max(0, 4 - code.count)))\(code) \(context)")
    }

    func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }

    func isLetter(_ byte: UInt8) -> Bool { UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 }
}

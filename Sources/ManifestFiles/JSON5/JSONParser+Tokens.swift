extension JSONParser {
    /// A string in either kind of quotes.
    mutating func string() throws(JSONSyntaxError) -> String {
        let opening = position
        let quote = bytes[position]
        position += 1
        var text: [UInt8] = []
        while let byte = peek {
            switch byte {
            case quote:
                position += 1
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                text.append(contentsOf: try escape())
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                throw JSONSyntaxError(message: "this string is not closed on its line", offset: opening)
            case 0..<0x20:
                throw unexpected("inside a string; write it as an escape such as \\n")
            default:
                text.append(byte)
                position += 1
            }
        }
        throw JSONSyntaxError(message: "this string is never closed", offset: opening)
    }

    /// What a backslash and what follows it stand for.
    private mutating func escape() throws(JSONSyntaxError) -> [UInt8] {
        let start = self
        position += 1
        guard let byte = peek else { return [] }
        position += 1
        switch byte {
        case UInt8(ascii: "\n"): return []
        case UInt8(ascii: "\r"):
            if peek == UInt8(ascii: "\n") { position += 1 }
            return []
        case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "v"): return [0x0B]
        case UInt8(ascii: "u"), UInt8(ascii: "x"):
            guard var code = hexadecimal(byte == UInt8(ascii: "u") ? 4 : 2) else { break }
            if 0xD800..<0xDC00 ~= code, take("\\u"), let low = hexadecimal(4), 0xDC00..<0xE000 ~= low {
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard code != 0, let scalar = Unicode.Scalar(code) else { break }
            return Array(String(Character(scalar)).utf8)
        default: break
        }
        throw start.error("this escape stands for nothing")
    }

    private mutating func hexadecimal(_ count: Int) -> UInt32? {
        let digits = bytes[position...].prefix(count)
        guard digits.count == count, digits.allSatisfy(isHexadecimalDigit) else { return nil }
        position += count
        return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    }

    /// A name without quotes: an identifier of ECMAScript 5.1, section 7.6.
    mutating func bareName() throws(JSONSyntaxError) -> String {
        var name = String.UnicodeScalarView()
        while peek != nil {
            let start = self
            if take("\\u") {
                guard let code = hexadecimal(4), let scalar = Unicode.Scalar(code), mayStand(scalar, in: name) else {
                    throw start.error("this escape cannot stand in a name")
                }
                name.append(scalar)
                continue
            }
            let next = String(decoding: bytes[position...].prefix(4), as: UTF8.self).unicodeScalars.first
            guard let next, mayStand(next, in: name) else { break }
            name.append(next)
            position += UTF8.width(next)
        }
        guard !name.isEmpty else { throw unexpected("where a name should stand") }
        return String(name)
    }

    private func mayStand(_ scalar: Unicode.Scalar, in name: String.UnicodeScalarView) -> Bool {
        if scalar == "$" || scalar == "_" { return true }
        return switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .letterNumber: true
        case .nonspacingMark, .spacingMark, .decimalNumber, .connectorPunctuation: !name.isEmpty
        default: (scalar.value == 0x200C || scalar.value == 0x200D) && !name.isEmpty
        }
    }

    /// A number, as it is spelled.
    mutating func number() throws(JSONSyntaxError) -> String {
        let start = self
        func no(_ why: String = "this is no number") -> JSONSyntaxError { start.error(why) }

        if !take("+") { _ = take("-") }
        if take("Infinity") || take("NaN") { return spelling(from: start.position) }
        if take("0x") || take("0X") {
            let digits = takeDigits(where: isHexadecimalDigit)
            guard !digits.isEmpty, !continuesWord else { throw no() }
            guard UInt64(String(decoding: digits, as: UTF8.self), radix: 16) != nil else {
                throw no("this number is too large")
            }
            return spelling(from: start.position)
        }

        let whole = takeDigits(where: isDigit)
        var fraction: ArraySlice<UInt8> = []
        if take(".") { fraction = takeDigits(where: isDigit) }
        guard !whole.isEmpty || !fraction.isEmpty else { throw no() }
        guard whole.count < 2 || whole.first != UInt8(ascii: "0") else { throw no("a number may not begin with 0") }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            guard !takeDigits(where: isDigit).isEmpty else { throw no() }
        }
        guard !continuesWord else { throw no() }
        let text = spelling(from: start.position)
        guard let value = JSONNumber.real(text), value.isFinite else { throw no("this number is too large") }
        return text
    }

    /// Whether a letter, digit or point follows at once: `1x`, `1.2.3`, `1_000`.
    private var continuesWord: Bool {
        guard let byte = peek else { return false }
        return isDigit(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_") || byte >= 0x80
            || isLetter(byte)
    }

    private func isHexadecimalDigit(_ byte: UInt8) -> Bool {
        isDigit(byte) || UInt8(ascii: "a")...UInt8(ascii: "f") ~= byte | 0x20
    }

    private mutating func takeDigits(where isWanted: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        let digits = bytes[position...].prefix(while: isWanted)
        position += digits.count
        return digits
    }

    private func spelling(from start: Int) -> String { String(decoding: bytes[start..<position], as: UTF8.self) }
}

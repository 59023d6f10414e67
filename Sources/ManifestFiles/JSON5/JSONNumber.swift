/// What a number's spelling in JSON5 means.
enum JSONNumber {
    /// The whole number: `8`, `+8`, `0x10`, `8.0`, `1e3`. nil for everything else.
    static func integer(_ spelling: String) -> Int? {
        if let value = Int(spelling) { return value }
        let (isNegative, digits) = split(spelling)
        if digits.hasPrefix("0x") || digits.hasPrefix("0X") {
            return Int((isNegative ? "-" : "") + digits.dropFirst(2), radix: 16)
        }
        return real(spelling).flatMap(Int.init(exactly:))
    }

    static func real(_ spelling: String) -> Double? {
        let (isNegative, digits) = split(spelling)
        // Swift wants a digit on both sides of the point.
        var text = digits.hasPrefix(".") ? "0" + digits : String(digits)
        if let point = text.firstIndex(of: ".") {
            let next = text.index(after: point)
            if next == text.endIndex || !text[next].isNumber { text.insert("0", at: next) }
        }
        return Double(text).map { isNegative ? -$0 : $0 }
    }

    private static func split(_ spelling: String) -> (isNegative: Bool, digits: Substring) {
        switch spelling.first {
        case "-": (true, spelling.dropFirst())
        case "+": (false, spelling.dropFirst())
        default: (false, spelling[...])
        }
    }
}

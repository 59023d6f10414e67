/// The beginning and the end of what a program printed, in constant memory.
struct CapturedOutput {
    private let headLimit: Int
    private let tailLimit: Int
    private var head: [UInt8] = []
    /// Its last `tailLimit` bytes count; what stands before them is thrown away from time to time.
    private var tail: [UInt8] = []
    private var total = 0

    /// - Parameter limit: bytes kept, half of them from the end.
    init(limit: Int) {
        headLimit = limit - limit / 2
        tailLimit = limit / 2
    }

    mutating func append(_ bytes: some Collection<UInt8>) {
        total += bytes.count
        let room = max(0, headLimit - head.count)
        head.append(contentsOf: bytes.prefix(room))
        tail.append(contentsOf: bytes.dropFirst(room).suffix(tailLimit))
        if tail.count > 2 * tailLimit { tail.removeFirst(tail.count - tailLimit) }
    }

    /// Everything as text: what is no UTF-8 is replaced, control characters are spelled out, and the gap is named.
    var text: String {
        let end = tail.suffix(tailLimit)
        let omitted = total - head.count - end.count
        guard omitted > 0 else { return Self.printable(head + end) }
        // A cut inside a character would show as damage that the program did not do.
        let cutHead = head.prefix(head.count - Self.incompleteSuffix(of: head))
        let cutEnd = end.drop { $0 & 0xC0 == 0x80 }
        let gap = total - cutHead.count - cutEnd.count
        return Self.printable(cutHead) + "\n… \(gap) bytes left out …\n" + Self.printable(cutEnd)
    }

    private static func printable(_ bytes: some Collection<UInt8>) -> String {
        var text = ""
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            switch scalar {
            case "\n", "\t": text.unicodeScalars.append(scalar)
            case "\r": continue
            case "\0"..<" ", "\u{7F}"..."\u{9F}":
                let digits = String(scalar.value, radix: 16, uppercase: true)
                text += "\\x" + (digits.count < 2 ? "0" : "") + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    /// How many bytes at the end begin a UTF-8 character that is not finished.
    private static func incompleteSuffix(of bytes: [UInt8]) -> Int {
        for (count, byte) in bytes.reversed().prefix(4).enumerated() where byte & 0xC0 != 0x80 {
            let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
            return length > count + 1 ? count + 1 : 0
        }
        return 0
    }
}

/// What failures have in common when they are the same failure in several tenants.
package struct FailureSignature: Sendable, Hashable {
    package var runbook: String?
    package var sqlstate: String?
    /// With `…` for what stood in quotes and `#` for numbers: those differ from tenant to tenant.
    package var message: String
    package var file: String?
    package var line: Int?

    package init(_ failure: Failure) {
        runbook = failure.runbook
        sqlstate = failure.sqlstate
        message = Self.normalised(failure.message)
        file = failure.file
        line = failure.line
    }

    /// A short name of it, the same in every runner.
    package var name: String {
        let parts = [runbook ?? "", sqlstate ?? "", message, file ?? "", line.map(String.init) ?? ""]
        return String(SHA256.hex(parts.joined(separator: "\u{1f}").utf8).prefix(16))
    }

    static func normalised(_ message: String) -> String {
        let bytes = Array(message.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if let end = endOfQuoted(bytes, index) {
                result += [byte] + "…".utf8 + [byte]
                index = end
            } else if isUUID(bytes, index) {
                result.append(UInt8(ascii: "#"))
                index += 36
            } else if isDigit(byte) {
                result.append(UInt8(ascii: "#"))
                while index < bytes.count, isDigit(bytes[index]) { index += 1 }
            } else {
                result.append(byte)
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Where a text in quotes ends that begins here. A quote inside a word is an apostrophe; a doubled one is part of
    /// the text.
    private static func endOfQuoted(_ bytes: [UInt8], _ start: Int) -> Int? {
        let quote = bytes[start]
        guard quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\""), start == 0 || !isWord(bytes[start - 1]) else {
            return nil
        }
        var index = start + 1
        while let end = bytes[index...].firstIndex(of: quote) {
            guard end + 1 < bytes.count, bytes[end + 1] == quote else { return end + 1 }
            index = end + 2
        }
        return nil
    }

    /// RFC 9562, section 4: 8-4-4-4-12 hexadecimal digits.
    private static func isUUID(_ bytes: [UInt8], _ start: Int) -> Bool {
        guard bytes.count - start >= 36, start == 0 || !isWord(bytes[start - 1]) else { return false }
        return (0..<36).allSatisfy { offset in
            let byte = bytes[start + offset]
            switch offset {
            case 8, 13, 18, 23: return byte == UInt8(ascii: "-")
            default: return isDigit(byte) || (0x61...0x66).contains(byte | 0x20)
            }
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    private static func isWord(_ byte: UInt8) -> Bool {
        isDigit(byte) || byte == UInt8(ascii: "_") || byte >= 0x80 || (0x61...0x7a).contains(byte | 0x20)
    }
}

import DatabaseAccess

/// Cursors in SQLite: their order, and literals that keep their type.
enum SQLiteOrder {
    /// Whether one value comes behind another; nil when their types have no common order here. Text is compared by its
    /// bytes, as the collation BINARY does.
    static func isGreater(_ value: DatabaseValue, than other: DatabaseValue) -> Bool? {
        switch (value, other) {
        case (.null, _): nil
        case (_, .null): true
        case (.integer(let left), .integer(let right)): left > right
        case (.real(let left), .real(let right)): left > right
        case (.integer(let left), .real(let right)): Double(left) > right
        case (.real(let left), .integer(let right)): left > Double(right)
        case (.text(let left), .text(let right)): right.utf8.lexicographicallyPrecedes(left.utf8)
        case (.blob(let left), .blob(let right)): right.lexicographicallyPrecedes(left)
        default: nil
        }
    }

    /// As SQLite's `quote()` writes it; nil for null.
    static func literal(_ value: DatabaseValue) -> String? {
        switch value {
        case .null: nil
        case .boolean(let value): value ? "1" : "0"
        case .integer(let value): String(value)
        case .real(let value): String(value)
        case .text(let value): "'" + value.replacing("'", with: "''") + "'"
        case .blob(let bytes): "X'" + bytes.map { byte in hex(byte) }.joined() + "'"
        }
    }

    /// The value that a literal stands for.
    static func value(_ literal: String?) -> DatabaseValue {
        guard let literal else { return .null }
        if literal.hasPrefix("'") {
            return .text(String(literal.dropFirst().dropLast()).replacing("''", with: "'"))
        }
        if literal.hasPrefix("X'") {
            let digits = Array(literal.utf8.dropFirst(2).dropLast())
            return .blob(
                stride(from: 0, to: digits.count - 1, by: 2).map { index in
                    UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16) ?? 0
                })
        }
        if let integer = Int64(literal) { return .integer(integer) }
        return Double(literal).map(DatabaseValue.real) ?? .text(literal)
    }

    private static func hex(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16, uppercase: true)
        return digits.count == 1 ? "0" + digits : digits
    }
}

/// A value bound to a statement or read from a row.
package enum DatabaseValue: Sendable, Hashable {
    case null
    case boolean(Bool)
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])
}

extension DatabaseValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByNilLiteral
{
    package init(stringLiteral value: String) { self = .text(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(booleanLiteral value: Bool) { self = .boolean(value) }
    package init(nilLiteral: ()) { self = .null }
    package init(_ value: String?) { self = value.map(DatabaseValue.text) ?? .null }
    package init(_ value: Int?) { self = value.map { .integer(Int64($0)) } ?? .null }
    package init(_ value: Int64?) { self = value.map(DatabaseValue.integer) ?? .null }
    package init(_ value: Bool?) { self = value.map(DatabaseValue.boolean) ?? .null }
}

extension DatabaseValue {
    /// The value as text, the way the engine prints it; nil for null.
    package var text: String? {
        switch self {
        case .null: nil
        case .boolean(let value): value ? "true" : "false"
        case .integer(let value): String(value)
        case .real(let value): String(value)
        case .text(let value): value
        case .blob(let bytes): String(decoding: bytes, as: UTF8.self)
        }
    }

    /// The value as a whole number; text that spells one counts, anything else is nil.
    package var integer: Int? {
        switch self {
        case .integer(let value): Int(exactly: value)
        case .boolean(let value): value ? 1 : 0
        case .real(let value): Int(exactly: value)
        case .text(let value): Int(value)
        case .null, .blob: nil
        }
    }

    /// The value as a truth value. SQLite has none of its own: a number counts as true when it is not 0.
    package var boolean: Bool? {
        switch self {
        case .boolean(let value): value
        case .integer(let value): value != 0
        case .real(let value): value != 0
        case .text(let value):
            switch value {
            case "t", "true", "1": true
            case "f", "false", "0": false
            default: nil
            }
        case .null, .blob: nil
        }
    }
}

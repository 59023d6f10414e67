import DatabaseAccess

extension DatabaseValue {
    /// Reads the server's text for a value of that type. What has no case of its own, `numeric` among it, stays text.
    init(_ text: String, type: UInt32) {
        switch type {
        case TypeNumber.bool: self = .boolean(text == "t")
        case TypeNumber.int2, TypeNumber.int4, TypeNumber.int8:
            self = Int64(text).map(DatabaseValue.integer) ?? .text(text)
        case TypeNumber.float4, TypeNumber.float8:
            self = Double(text).map(DatabaseValue.real) ?? .text(text)
        default: self = .text(text)
        }
    }
}

/// Counts Unicode scalars while it moves forward through UTF-8 bytes.
struct ScalarCursor {
    private let bytes: [UInt8]
    private var index = 0
    private var scalars = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// How many scalars begin before the byte at `end`, which never lies before that of an earlier call.
    mutating func count(upTo end: Int) -> Int {
        while index < end {
            // A byte 10xxxxxx continues a scalar (RFC 3629, section 3).
            if bytes[index] & 0xc0 != 0x80 { scalars += 1 }
            index += 1
        }
        return scalars
    }
}

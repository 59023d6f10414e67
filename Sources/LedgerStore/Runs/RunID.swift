package import FoundationEssentials

/// Makes ids of runs and runners: a ULID, 48 bits of milliseconds and 80 random bits in Crockford's base 32, so that
/// ids sort by time (github.com/ulid/spec).
package enum RunID {
    package static func make(at date: Date = Date(), random: (UInt64, UInt16)? = nil) -> String {
        var generator = SystemRandomNumberGenerator()
        let (low, high) = random ?? (generator.next(), generator.next())
        let time = UInt64(max(0, date.timeIntervalSince1970) * 1000) & 0xFFFF_FFFF_FFFF
        // 128 bits, five at a time from the top; the first digit holds three.
        var bits = UInt128(time) << 80 | UInt128(high) << 64 | UInt128(low)
        var digits: [UInt8] = []
        for _ in 0..<26 {
            digits.append(alphabet[Int(bits & 31)])
            bits >>= 5
        }
        return String(decoding: digits.reversed(), as: UTF8.self)
    }

    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)
}

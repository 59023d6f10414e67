/// A digest of many texts, whatever their order: the sum of their hashes, with their number.
///
/// The hashes tell accidents apart, 128 bits each; nobody is kept from making two lists that have the same sum. SHA-256
/// would take ten times as long as all else that is done with a tenant.
package struct UnorderedDigest: Sendable, Hashable {
    package private(set) var count = 0
    private var sum: SIMD2<UInt64> = .zero

    package init() {}

    package mutating func add(_ text: String) {
        // FNV-1a from two beginnings, each mixed to its last bit (the finalizer of SplitMix64).
        var hash: SIMD2<UInt64> = [0xCBF2_9CE4_8422_2325, 0x9AE1_6A3B_2F90_404F]
        for byte in text.utf8 {
            hash = (hash ^ SIMD2(repeating: UInt64(byte))) &* [0x100_0000_01B3, 0x9E37_79B9_7F4A_7C15]
        }
        sum = sum &+ [Self.mixed(hash.x), Self.mixed(hash.y)]
        count += 1
    }

    /// `sha256:<hex>`.
    package var text: String {
        Checksum.of([UInt64(count), sum.x, sum.y].map { String($0, radix: 16) }.joined(separator: " "))
    }

    private static func mixed(_ hash: UInt64) -> UInt64 {
        var value = (hash ^ (hash >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

/// A digest of many texts, whatever their order: the sum of their hashes, with their number.
package struct UnorderedDigest: Sendable, Hashable {
    package private(set) var count = 0
    private var sum: SIMD4<UInt64> = .zero

    package init() {}

    package mutating func add(_ text: String) {
        let hash = SHA256.digest(of: text.utf8)
        var words: SIMD4<UInt64> = .zero
        for (index, byte) in hash.enumerated() { words[index / 8] = words[index / 8] << 8 | UInt64(byte) }
        sum = sum &+ words
        count += 1
    }

    /// `sha256:<hex>`.
    package var text: String {
        Checksum.of(
            ([UInt64(count)] + sum.indices.map { sum[$0] }).map { String($0, radix: 16) }.joined(separator: " "))
    }
}

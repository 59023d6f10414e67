/// Checksums as they are stored and shown: `sha256:<hex>`.
package enum Checksum {
    package static func of(_ bytes: some Sequence<UInt8>) -> String { "sha256:" + SHA256.hex(bytes) }

    package static func of(_ text: String) -> String { of(text.utf8) }

    /// The bytes without a byte order mark, and with LF where CR LF stood: a checkout on Windows changes no checksum.
    package static func normalized(_ bytes: some Collection<UInt8>) -> [UInt8] {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        var normalized: [UInt8] = []
        normalized.reserveCapacity(bytes.count)
        for byte in bytes.starts(with: mark) ? bytes.dropFirst(mark.count) : bytes[...] {
            if byte == UInt8(ascii: "\n"), normalized.last == UInt8(ascii: "\r") { normalized.removeLast() }
            normalized.append(byte)
        }
        return normalized
    }
}

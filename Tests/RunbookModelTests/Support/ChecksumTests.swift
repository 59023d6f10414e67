import RunbookModel
import Testing

struct ChecksumTests {
    @Test func isWhatSHA256SumPrints() {
        #expect(
            Checksum.of("SELECT 1;\n") == "sha256:" + SHA256.hex(Array("SELECT 1;\n".utf8)))
        #expect(Checksum.of("") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    /// A byte order mark and Windows' line ends change no checksum; everything else stays.
    @Test(arguments: [
        ("a\r\nb\r\n", "a\nb\n"), ("\u{FEFF}a", "a"), ("a\u{FEFF}", "a\u{FEFF}"), ("a\rb", "a\rb"), ("\r\r\n", "\r\n"),
        ("", ""), ("\n", "\n"),
    ])
    func normalizes(text: String, normalized: String) {
        #expect(Checksum.normalized(Array(text.utf8)) == Array(normalized.utf8))
    }
}

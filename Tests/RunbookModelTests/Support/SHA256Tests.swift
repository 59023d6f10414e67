import Foundation
import RunbookModel
import Testing

struct SHA256Tests {
    /// The examples of NIST's CAVP and of FIPS 180-4's example document.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
        ),
    ])
    func answersThePublishedVectors(text: String, digest: String) {
        #expect(SHA256.hex(text) == digest)
    }

    @Test func answersTheMillionLetters() {
        let bytes = repeatElement(UInt8(ascii: "a"), count: 1_000_000)
        #expect(SHA256.hex(bytes) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    /// Every length around the block's edge gives what `sha256sum` gives for that many zero bytes, taken together.
    @Test func agreesWithCoreutilsAtEveryLengthOfTwoBlocks() {
        let together = (0...130).map { SHA256.hex([UInt8](repeating: 0, count: $0)) }.joined(separator: "\n") + "\n"
        #expect(SHA256.hex(together) == "cae7459b654a4c6f77d3a89ef92aa36963cc64b35ca6e1206027ce1f25a6fe82")
    }
}

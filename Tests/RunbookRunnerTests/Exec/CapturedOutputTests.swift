import Testing

@testable import RunbookRunner

/// Output is kept whole when it is small, and by its two ends when it is not.
struct CapturedOutputTests {
    private func captured(_ chunks: [[UInt8]], limit: Int) -> String {
        var output = CapturedOutput(limit: limit)
        for chunk in chunks { output.append(chunk) }
        return output.text
    }

    @Test(arguments: 0...20) func whatFitsIsKeptWhole(count: Int) {
        let bytes = Array("abcdefghijklmnopqrst".utf8.prefix(count))
        #expect(captured([bytes], limit: 20) == String(decoding: bytes, as: UTF8.self))
        #expect(captured(bytes.map { [$0] }, limit: 20) == String(decoding: bytes, as: UTF8.self))
    }

    @Test(arguments: [1, 2, 3, 7, 100, 1000]) func theTwoEndsAreKept(chunk: Int) {
        let bytes = (0..<1000).map { UInt8(ascii: "a") + UInt8($0 % 26) }
        let chunks = stride(from: 0, to: 1000, by: chunk).map { Array(bytes[$0..<min(1000, $0 + chunk)]) }
        let head = String(decoding: bytes.prefix(10), as: UTF8.self)
        let tail = String(decoding: bytes.suffix(10), as: UTF8.self)
        #expect(captured(chunks, limit: 20) == "\(head)\n… 980 bytes left out …\n\(tail)")
    }

    @Test func aCharacterIsNotCutInTwo() {
        let bytes = Array(String(repeating: "é日🙂", count: 50).utf8)
        for limit in 2...40 {
            #expect(!captured([bytes], limit: limit).contains("\u{FFFD}"), "limit \(limit)")
        }
    }

    @Test func whatCannotBePrintedIsSpelledOut() {
        let bytes: [UInt8] = [0x1B, 0x5B, 0x33, 0x31, 0x6D, 0, 0x09, 0x0D, 0x0A, 0xFF, 0x61, 0x7F, 0xC2, 0x9B]
        #expect(captured([bytes], limit: 100) == "\\x1B[31m\\x00\t\n\u{FFFD}a\\x7F\\x9B")
    }

    @Test func nothingIsNothing() {
        #expect(captured([], limit: 10) == "")
        #expect(captured([[1]], limit: 0) == "\n… 1 bytes left out …\n")
    }
}

import RunbookModel
import Testing

struct RedactedTests {
    @Test("however a value is printed, alone or inside another, the secret stays away")
    func printsMasked() {
        let secret = Redacted("open-sesame")
        var dumped = ""
        dump([secret], to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), "\([secret])", "\(Optional(secret) as Any)", dumped] {
            #expect(text.contains("****"))
            #expect(!text.contains("sesame"))
        }
    }
}

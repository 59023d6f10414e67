import RunbookModel
import Testing

@Suite struct AllowanceTests {
    /// Guarantee: what is written is what is read.
    @Test func textIsReadBack() {
        for percent in 0...100 { #expect(Allowance("\(percent)%")?.description == "\(percent)%") }
        for count in [0, 1, 20, 2_147_483_647] { #expect(Allowance("\(count)") == .count(count)) }
    }

    /// Guarantee: whole hundredths are exact.
    @Test func sharesAreExact() {
        for percent in 0...100 {
            for total in 0...300 {
                #expect(Allowance("\(percent)%")?.limit(of: total) == percent * total / 100)
            }
        }
    }

    @Test(arguments: ["", "%", "-1", "+1", "1.5", "101%", "-1%", "2 %", "two", "2147483648", "٣"])
    func anythingElseIsNone(_ text: String) {
        #expect(Allowance(text) == nil)
    }
}

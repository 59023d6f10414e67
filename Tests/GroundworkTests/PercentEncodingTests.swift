import Foundation
import Groundwork
import Testing

struct PercentEncodingTests {
    @Test(arguments: ["", "plain", "%41b%2Fc", "%C3%A9é", "a%00b", "%", "%4", "%zz", "a%", "%ff", "%+1", "%é1", "%C3"])
    func decodingAgreesWithFoundation(_ text: String) {
        #expect(PercentEncoding.decoded(text) == text.removingPercentEncoding)
        #expect(PercentEncoding.decoded(text[...]) == text.removingPercentEncoding)
    }

    @Test(arguments: ["", "a b/c%?é\0", "😀~-._"])
    func whatIsEncodedDecodesToItself(_ text: String) {
        #expect(PercentEncoding.decoded(PercentEncoding.encoded(text)) == text)
        #expect(PercentEncoding.decoded(PercentEncoding.encoded(text, keeping: [UInt8(ascii: "/")])) == text)
    }
}

import Groundwork
import Testing

struct ThreadTests {
    @Test func blockingLastsAsLongAsItWasAskedTo() {
        let took = ContinuousClock().measure { blockThread(for: .milliseconds(20)) }
        #expect(took >= .milliseconds(20))
    }

    @Test func aThreadRunsWhatItIsGiven() async {
        let answer = await withCheckedContinuation { continuation in
            DetachedThread.start(stackSize: 256 << 10) { continuation.resume(returning: 42) }
        }
        #expect(answer == 42)
    }
}

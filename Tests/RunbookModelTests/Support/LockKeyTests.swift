import RunbookModel
import Testing

struct LockKeyTests {
    /// The keys are a promise to applications that take the same locks: computed apart from this code, with Python's
    /// hashlib, as the first eight bytes, big-endian and signed.
    @Test func keysAreThePromisedOnes() {
        #expect(LockKey.workspace("default") == 968_768_818_354_905_015)
        #expect(LockKey.tenant("acme", workspace: "default") == -4_669_512_207_656_669_421)
        #expect(LockKey.gate("default") == 4_050_881_952_517_847_914)
        #expect(LockKey.tenant("tenant \" 1", workspace: "w\u{F6}rk") == 3_531_712_722_701_785_615)
    }
}

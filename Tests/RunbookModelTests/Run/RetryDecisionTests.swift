import RunbookModel
import Testing

struct RetryDecisionTests {
    @Test(
        "SQLSTATEs of passing trouble have a name, all others none",
        arguments: [
            ("40001", .serialization), ("40P01", .deadlock), ("55P03", .lockNotAvailable),
            ("53300", .tooManyConnections), ("57P01", .shutdown), ("57P02", .shutdown), ("57P03", .cannotConnectNow),
            ("08000", .connection), ("08003", .connection), ("08006", .connection), ("08P01", .connection),
            ("40003", nil), ("23505", nil), ("57014", nil), ("42601", nil), ("53100", nil), ("25P02", nil),
            ("MU001", nil), ("MU002", nil), ("", nil), ("08", nil), (nil, nil), ("40p01", nil),
        ] as [(String?, TransientCause?)])
    func causes(sqlState: String?, cause: TransientCause?) {
        #expect(TransientCause(sqlState: sqlState) == cause)
    }

    @Test("work is tried again only when the trouble passes, nothing is half done and tries are left")
    func decisions() {
        for cause in [nil] + TransientCause.allCases.map(Optional.some) {
            for isClean in [true, false] {
                for retries in 0...4 {
                    for tries in 1...6 {
                        let decision = RetryDecision.of(
                            cause, isClean: isClean, tries: tries, retries: retries, random: 0.5)
                        let expected = cause != nil && isClean && tries <= retries
                        #expect((decision != .stop) == expected)
                    }
                }
            }
        }
    }

    @Test("three retries are four tries")
    func numberOfTries() {
        var tries = 1
        while RetryDecision.of(.deadlock, isClean: true, tries: tries, retries: 3, random: 0) != .stop { tries += 1 }
        #expect(tries == 4)
    }

    @Test("the wait doubles, is cut at ten seconds, and never leaves its half by chance")
    func delays() {
        let full = [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]
        for (index, milliseconds) in full.enumerated() {
            for random in [0, 0.25, 0.5, 0.999, 1] {
                let delay = RetryDecision.delay(afterTry: index + 1, random: random)
                #expect(delay >= .milliseconds(milliseconds / 2) && delay <= .milliseconds(milliseconds))
            }
            #expect(RetryDecision.delay(afterTry: index + 1, random: 0) == .milliseconds(milliseconds / 2))
            #expect(RetryDecision.delay(afterTry: index + 1, random: 1) == .milliseconds(milliseconds))
        }
    }

    @Test("no number makes the wait overflow or negative", arguments: [Int.min, -1, 0, 63, 64, Int.max])
    func extremeTries(tries: Int) {
        for random in [-Double.infinity, -1, 2, .infinity, .nan] {
            let delay = RetryDecision.delay(afterTry: tries, random: random)
            #expect(delay >= .milliseconds(50) && delay <= .seconds(10))
        }
    }
}

import RunbookModel
import Testing

struct BatchPaceTests {
    /// Runs batches against rows that take `cost` each, the way the course does: what takes longer than the pace allows is
    /// rolled back and counted as held until then.
    private func held(
        _ pace: inout BatchPace, batches: Int, cost: (Int) -> Duration
    ) -> [Duration] {
        var held: [Duration] = []
        while held.count < batches {
            let duration = cost(held.count) * pace.size
            if let limit = pace.limit, duration > limit {
                held.append(limit)
                let answer = pace.timedOut()
                #expect(answer == .tryAgain)
            } else {
                held.append(duration)
                pace.succeeded(in: duration)
            }
        }
        return held
    }

    @Test("it reaches its target from any size, and grows by a quarter at most", arguments: [1, 10, 1000, 100_000])
    func reachesTarget(size: Int) {
        var pace = BatchPace(size: size, target: .milliseconds(250))
        var before = pace.size
        for _ in 0..<200 {
            pace.succeeded(in: .microseconds(100) * pace.size)
            #expect(Double(pace.size) <= max(Double(before + 1), Double(before) * 1.25))
            before = pace.size
        }
        #expect((2000...2500).contains(pace.size))
    }

    @Test("behind the first ten no batch holds longer than twice its target, however the cost of a row jumps")
    func neverTwice() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let target: Duration = .milliseconds(.random(in: 10...500, using: &random))
            var pace = BatchPace(size: .random(in: 1...20_000, using: &random), target: target)
            var cost = 20
            let held = held(&pace, batches: 300) { _ in
                if Int.random(in: 0..<20, using: &random) == 0 { cost = .random(in: 1...400, using: &random) }
                return .microseconds(cost)
            }
            #expect(held.dropFirst(BatchPace.freeBatches).allSatisfy { $0 <= target * 2 })
        }
    }

    @Test("a slow batch is cut at once")
    func cuts() {
        var pace = BatchPace(size: 1000, target: .milliseconds(100))
        pace.succeeded(in: .milliseconds(200))
        #expect(pace.size == 400)
        let answer = pace.timedOut()
        #expect(answer == .tryAgain)
        #expect(pace.size == 133)
    }

    @Test("what claim and commit take is not the rows' fault, up to half the target")
    func overhead() {
        var pace = BatchPace(size: 1000, target: .milliseconds(100))
        pace.succeeded(in: .milliseconds(90), worked: .milliseconds(40))
        #expect(pace.size == 1250)
        pace.succeeded(in: .milliseconds(300), worked: .milliseconds(40))
        #expect(pace.size == 400)
    }

    @Test("a batch that was not full says nothing about time")
    func partial() {
        var pace = BatchPace(size: 1000, target: .milliseconds(100))
        pace.succeeded(in: .milliseconds(1), wasFull: false)
        #expect(pace.size == 1000)
    }

    @Test("without a target the size stays, and comes back after trouble")
    func fixed() {
        var pace = BatchPace(size: 1000, target: nil)
        for seconds in 0..<50 { pace.succeeded(in: .seconds(seconds)) }
        #expect(pace.size == 1000)
        #expect(pace.limit == nil)
        pace.collided()
        #expect(pace.size == 500)
        pace.succeeded(in: .seconds(1))
        #expect(pace.size == 1000)
    }

    @Test("a row that cannot be worked on is isolated, wherever it is, and what is before it is done")
    func isolates() {
        for size in [1, 2, 3, 7, 100, 1000] {
            for bad in 0..<min(size * 2, 300) {
                var pace = BatchPace(size: size, target: nil)
                var done = 0
                var tries = 0
                while true {
                    tries += 1
                    #expect(tries < 60)
                    guard bad < done + pace.size else {
                        done += pace.size
                        pace.succeeded(in: .milliseconds(1))
                        continue
                    }
                    if pace.failed() == .giveUp { break }
                }
                #expect(done == bad)
                #expect(pace.size == 1)
            }
        }
    }

    @Test("a single row is never cut, and has its own limits alone")
    func single() {
        var pace = BatchPace(size: 1, target: .milliseconds(1))
        for _ in 0..<20 { pace.succeeded(in: .seconds(1)) }
        #expect(pace.size == 1)
        #expect(pace.limit == nil)
        let answer = pace.timedOut()
        #expect(answer == .giveUp)
        pace.collided()
        #expect(pace.size == 1)
    }
}

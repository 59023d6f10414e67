import Foundation
import Synchronization

/// Threads of their own, as workers have them: sessions block.
enum Threads {
    /// Runs `body` on so many threads at once and answers when all have ended; the first failure is thrown.
    static func run<Answer: Sendable>(
        _ count: Int, _ body: @escaping @Sendable (Int) throws -> Answer
    ) async throws -> [Answer] {
        let results = Mutex<[Int: Result<Answer, any Error>]>([:])
        let start = DispatchSemaphore(value: 0)
        await withCheckedContinuation { (all: CheckedContinuation<Void, Never>) in
            for index in 0..<count {
                Thread {
                    start.wait()
                    let result = Result { try body(index) }
                    let ended = results.withLock { results in
                        results[index] = result
                        return results.count
                    }
                    if ended == count { all.resume() }
                }.start()
            }
            for _ in 0..<count { start.signal() }
        }
        return try results.withLock { results in try (0..<count).compactMap { try results[$0]?.get() } }
    }

    struct Overdue: Error {}

    /// Asks again and again, on the calling thread, until the condition holds.
    static func wait(_ condition: () throws -> Bool) throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while try !condition() {
            guard ContinuousClock.now < deadline else { throw Overdue() }
            Thread.sleep(forTimeInterval: 0.01)
        }
    }
}

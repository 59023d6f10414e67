import Foundation
import Reporting
import Synchronization

/// A clock that stands until it is moved; who waits for it goes on at once and has moved it by as much.
final class ManualTimepiece: Timepiece {
    private let passed = Mutex(Duration.zero)
    private let limit: Duration

    /// - Parameter limit: waiting past it throws, which ends what runs until it is cancelled.
    init(limit: Duration = .seconds(1_000_000)) { self.limit = limit }

    var now: Date { Date(timeIntervalSince1970: elapsed / .seconds(1)) }
    var elapsed: Duration { passed.withLock(\.self) }

    func wait(for duration: Duration) async throws {
        let time = passed.withLock { passed in
            passed += duration
            return passed
        }
        if time > limit { throw CancellationError() }
        await Task.yield()
    }
}

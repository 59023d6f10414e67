package import FoundationEssentials
import Reporting

/// The system's clocks.
package struct SystemTimepiece: Timepiece {
    private let start = ContinuousClock.now

    package init() {}

    package var now: Date { Date() }
    package var elapsed: Duration { ContinuousClock.now - start }

    package func wait(for duration: Duration) async throws { try await Task.sleep(for: duration) }
}

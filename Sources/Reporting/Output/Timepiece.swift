package import FoundationEssentials

/// What time it is, and a way to wait; tests bring their own.
package protocol Timepiece: Sendable {
    var now: Date { get }
    /// Time since some moment; it never jumps.
    var elapsed: Duration { get }
    /// - Throws: `CancellationError` when the task is cancelled meanwhile.
    func wait(for duration: Duration) async throws
}

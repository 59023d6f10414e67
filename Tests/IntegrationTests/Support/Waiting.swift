/// Waits until `condition` holds, asking every 20 ms.
///
/// - Throws: `CommandFailure` when it does not hold within `limit`.
func wait(
    for what: String, within limit: Duration = .seconds(60), until condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < end else { throw CommandFailure("waited \(limit) for \(what)") }
        try await Task.sleep(for: .milliseconds(20))
    }
}

/// What part of `per_server` a runner may take, seen from one runner while its share is made.
///
/// A runner holds what it has told the ledger, not more; so a newcomer waits for what the others give back, and together
/// they never pass the limit.
package struct ConnectionShare: Sendable, Hashable {
    /// Connections to one server, over all runners of the run.
    package var perServer: Int
    /// Those that live, this one included.
    package var runners: Int
    /// What the others have told the ledger that they hold.
    package var held: Int
    /// What a runner needs besides its workers: the ledger's.
    package var reserved: Int

    package init(perServer: Int, runners: Int, held: Int, reserved: Int) {
        self.perServer = perServer
        self.runners = max(1, runners)
        self.held = held
        self.reserved = reserved
    }

    /// How many connections its workers may have: a fair part of the whole, as far as it is free; at least 1 where there
    /// are more runners than connections.
    ///
    /// - Parameter wanted: more than this it has no use for.
    package func workers(wanted: Int) -> Int {
        let fair = perServer / runners - reserved
        guard fair >= 1 else { return min(1, wanted) }
        return max(0, min(fair, perServer - held - reserved, wanted))
    }
}

/// Takes down which locks a transaction was seen to hold, and for how long each.
///
/// A lock is held from the look at which it was first seen to the end, or to the look at which it was gone again: going
/// back to a savepoint releases what was taken since.
package struct RelationLockBook: Sendable {
    package struct Sight: Sendable, Hashable {
        package var relation: String
        package var mode: RelationLockMode

        package init(relation: String, mode: RelationLockMode) {
            self.relation = relation
            self.mode = mode
        }
    }

    private struct Entry {
        var runbook: String
        /// Since when it is held without a break; nil while it is not.
        var since: Duration?
        var longest: Duration = .zero
    }

    private var entries: [Sight: Entry] = [:]
    /// Held, and not to be told of.
    private var hidden: Set<Sight> = []

    package init() {}

    /// Everything that is held at a moment.
    ///
    /// - Parameters:
    ///   - runbook: whose work took what was not seen before.
    ///   - time: since the transaction began.
    package mutating func look(_ given: Set<Sight>, runbook: String, at time: Duration) {
        hidden.formIntersection(given)
        let held = given.subtracting(hidden)
        for sight in entries.keys where !held.contains(sight) { close(sight, at: time) }
        for sight in held {
            if entries[sight] == nil {
                entries[sight] = Entry(runbook: runbook, since: time)
            } else if entries[sight]?.since == nil {
                entries[sight]?.since = time
            }
        }
    }

    /// Everything that is held behind work that apply does with weaker locks: what is new of it is never told of, as long
    /// as it is held.
    package mutating func hide(_ held: Set<Sight>) {
        hidden.formUnion(held.filter { entries[$0]?.since == nil })
    }

    /// The strongest lock of each relation, strongest first, once the transaction is over.
    package func locks(endedAt end: Duration) -> [RelationLock] {
        var book = self
        for sight in book.entries.keys { book.close(sight, at: end) }
        var strongest: [String: RelationLock] = [:]
        for (sight, entry) in book.entries {
            if let known = strongest[sight.relation], known.mode.rank > sight.mode.rank { continue }
            strongest[sight.relation] = RelationLock(
                relation: sight.relation, mode: sight.mode, runbook: entry.runbook,
                heldMS: RelationLock.milliseconds(entry.longest))
        }
        return strongest.values.sorted {
            ($1.mode.rank, $0.relation) < ($0.mode.rank, $1.relation)
        }
    }

    private mutating func close(_ sight: Sight, at time: Duration) {
        guard let entry = entries[sight], let since = entry.since else { return }
        entries[sight]?.longest = max(entry.longest, time - since)
        entries[sight]?.since = nil
    }
}

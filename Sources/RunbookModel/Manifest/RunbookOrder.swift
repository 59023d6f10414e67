/// The order in which runbooks are executed: phase by phase, in each by `after`, then by position.
package enum RunbookOrder {
    /// What the order depends on.
    package struct Entry: Sendable, Hashable {
        package var id: String
        /// Its place in the manifest's phases.
        package var phase: Int
        package var after: [String]

        package init(id: String, phase: Int = 0, after: [String] = []) {
            self.id = id
            self.phase = phase
            self.after = after
        }
    }

    /// The positions of the entries in the order of execution.
    ///
    /// - Returns: nil when there is a cycle, or an `after` that points to a later phase. Unknown ids count for nothing.
    package static func positions(of entries: [Entry]) -> [Int]? {
        let byID = index(entries)
        var open = entries.map { entry in Set(entry.after.compactMap { byID[$0] }).count }
        var followers: [[Int]] = Array(repeating: [], count: entries.count)
        for (position, entry) in entries.enumerated() {
            for before in Set(entry.after.compactMap({ byID[$0] })) { followers[before].append(position) }
        }
        var order: [Int] = []
        for phase in Set(entries.map(\.phase)).sorted() {
            var ready = Set(entries.indices.filter { entries[$0].phase == phase && open[$0] == 0 })
            while let next = ready.min() {
                ready.remove(next)
                order.append(next)
                for follower in followers[next] {
                    open[follower] -= 1
                    if open[follower] == 0, entries[follower].phase == phase { ready.insert(follower) }
                }
            }
        }
        return order.count == entries.count ? order : nil
    }

    /// Every cycle that `after` makes, none of them twice, each as the ids along it with the first one repeated at the
    /// end.
    package static func cycles(in entries: [Entry]) -> [[String]] {
        let byID = index(entries)
        var cycles: [[String]] = []
        var finished: Set<Int> = []
        for start in entries.indices where !finished.contains(start) {
            // Depth first, on a stack of its own: a long chain must not exhaust the thread's.
            var path: [(position: Int, next: Int)] = [(start, 0)]
            var onPath: Set<Int> = [start]
            while let (position, next) = path.last {
                guard next < entries[position].after.count else {
                    finished.insert(position)
                    onPath.remove(position)
                    path.removeLast()
                    continue
                }
                path[path.count - 1].next += 1
                guard let before = byID[entries[position].after[next]], !finished.contains(before) else { continue }
                if onPath.contains(before) {
                    let loop = path.drop { $0.position != before }.map { entries[$0.position].id }
                    cycles.append(loop + [entries[before].id])
                } else {
                    path.append((before, 0))
                    onPath.insert(before)
                }
            }
        }
        return cycles
    }

    private static func index(_ entries: [Entry]) -> [String: Int] {
        Dictionary(entries.enumerated().map { ($1.id, $0) }) { first, _ in first }
    }
}

/// Finds what somebody probably meant to write.
package enum NearestName {
    /// The candidate that is nearest to `name`, when it is near enough to be a slip: about one letter in three, letter
    /// case aside. The first one wins among equals.
    package static func of(_ name: String, in candidates: some Sequence<String>) -> String? {
        // Longer texts are no names, and the distance costs the product of the lengths.
        guard !name.isEmpty, name.unicodeScalars.count <= 200 else { return nil }
        var nearest: (name: String, distance: Int)?
        for candidate in candidates where candidate != name {
            let limit = max(1, max(name.count, candidate.count) / 3)
            let distance = distance(name.lowercased(), candidate.lowercased())
            if distance <= limit, distance < nearest?.distance ?? .max { nearest = (candidate, distance) }
        }
        return nearest?.name
    }

    /// How many insertions, deletions, replacements and swaps of neighbours lead from one text to the other
    /// (optimal string alignment).
    package static func distance(_ left: String, _ right: String) -> Int {
        let left = Array(left.unicodeScalars)
        let right = Array(right.unicodeScalars)
        var before: [Int] = []
        var row = Array(0...right.count)
        for i in left.indices {
            var next = [i + 1]
            for j in right.indices {
                var best = min(row[j + 1] + 1, next[j] + 1, row[j] + (left[i] == right[j] ? 0 : 1))
                if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                    best = min(best, before[j - 1] + 1)
                }
                next.append(best)
            }
            (before, row) = (row, next)
        }
        return row[right.count]
    }
}

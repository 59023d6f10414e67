/// A choice among names that is the same every time, and of which a larger one holds every smaller one.
package struct StableSample {
    /// Up to `count` of the positions of `names`, ascending: those whose SHA-256 comes first.
    package static func positions(of names: [String], count: Int) -> [Int] {
        guard names.count > count else { return Array(names.indices) }
        let hashes = names.map { SHA256.hex($0.utf8) }
        return names.indices.sorted { (hashes[$0], $0) < (hashes[$1], $1) }.prefix(max(0, count)).sorted()
    }
}

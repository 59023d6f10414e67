import RunbookModel
import Testing

@Suite struct RelationLockModeTests {
    /// The manual's table 13.2, "Conflicting Lock Modes", row by row; # is a conflict.
    private static let manual = [
        ".......#",
        "......##",
        "....####",
        "...#####",
        "..##.###",
        "..######",
        ".#######",
        "########",
    ]

    /// Guarantee: which locks keep which waiting is what the manual says, for every pair.
    @Test(arguments: RelationLockMode.allCases, RelationLockMode.allCases)
    func conflictsAreTheManuals(_ mode: RelationLockMode, _ other: RelationLockMode) {
        let row = Array(Self.manual[mode.rank - 1])
        #expect(mode.conflicts(with: other) == (row[other.rank - 1] == "#"))
        #expect(mode.conflicts(with: other) == other.conflicts(with: mode))
    }

    /// Guarantee: the ranks are 1 to 8, in the server's order.
    @Test func ranksAreTheServers() {
        #expect(RelationLockMode.allCases.map(\.rank) == Array(1...8))
    }

    /// Guarantee: of every set of modes the strongest is the one with the highest rank, whatever their names sort like.
    @Test func strongestOfEverySet() {
        let modes = RelationLockMode.allCases
        for bits in 0..<256 {
            let set = modes.filter { bits >> ($0.rank - 1) & 1 == 1 }
            #expect(RelationLockMode.strongest(set.reversed())?.rank == set.map(\.rank).max())
        }
        #expect(RelationLockMode.strongest([.share, .accessExclusive]) == .accessExclusive)
    }

    /// Guarantee: a stronger mode never lets through reads or writes that a weaker one keeps waiting.
    @Test(arguments: RelationLockMode.allCases, RelationLockMode.allCases)
    func strongerBlocksMore(_ mode: RelationLockMode, _ other: RelationLockMode) {
        guard mode.rank < other.rank else { return }
        #expect(!mode.blocksReads || other.blocksReads)
        #expect(!mode.blocksWrites || other.blocksWrites)
    }

    /// Guarantee: names are the server's, words are the manual's.
    @Test func namesAreTheServers() {
        #expect(
            RelationLockMode.allCases.map(\.words) == [
                "ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE",
                "EXCLUSIVE", "ACCESS EXCLUSIVE",
            ])
        for mode in RelationLockMode.allCases { #expect(RelationLockMode(rawValue: mode.rawValue) == mode) }
        #expect(RelationLockMode(rawValue: "SIReadLock") == nil)
    }
}

import RunbookModel
import Testing

@Suite struct LongestFirstTests {
    /// Guarantee: the order of the source stays where nothing is known, and among those that are not long.
    @Test func shortOnesKeepTheirOrder() {
        #expect(LongestFirst.order([4, 2, 9, 7], durations: [:]) == [4, 2, 9, 7])
        #expect(LongestFirst.order([0, 1, 2, 3], durations: [1: 99, 3: 5]) == [0, 1, 2, 3])
    }

    /// Guarantee: long ones come first, longest of all first; equally long ones as the source has them; none is lost.
    @Test func longOnesComeFirst() {
        let order = LongestFirst.order(Array(0..<6), durations: [1: 100, 3: 5000, 5: 100, 4: 90])
        #expect(order == [3, 1, 5, 0, 2, 4])
    }
}

import RunbookModel
import Testing

struct RunbookOrderTests {
    private func entries(_ list: [(String, Int, [String])]) -> [RunbookOrder.Entry] {
        list.map { RunbookOrder.Entry(id: $0.0, phase: $0.1, after: $0.2) }
    }

    private func order(_ list: [(String, Int, [String])]) -> [String]? {
        let entries = entries(list)
        return RunbookOrder.positions(of: entries)?.map { entries[$0].id }
    }

    @Test func withoutAfterItIsThePosition() {
        #expect(order([("c", 0, []), ("a", 0, []), ("b", 0, [])]) == ["c", "a", "b"])
    }

    @Test func afterComesBeforeThePosition() {
        #expect(order([("c", 0, ["b"]), ("a", 0, []), ("b", 0, ["a"])]) == ["a", "b", "c"])
        #expect(order([("d", 0, ["a"]), ("a", 0, []), ("b", 0, [])]) == ["a", "d", "b"])
    }

    @Test func thePhaseComesBeforeThePosition() {
        #expect(order([("late", 1, []), ("early", 0, []), ("later", 1, ["early"])]) == ["early", "late", "later"])
    }

    @Test func unknownAndRepeatedReferencesCountForNothing() {
        #expect(order([("a", 0, ["nobody", "b", "b"]), ("b", 0, [])]) == ["b", "a"])
    }

    @Test func thereIsNoOrderWithACycleOrABackwardPhase() {
        #expect(order([("a", 0, ["b"]), ("b", 0, ["a"])]) == nil)
        #expect(order([("a", 0, ["a"])]) == nil)
        #expect(order([("a", 0, ["b"]), ("b", 1, [])]) == nil)
    }

    @Test func namesTheWholeCycle() {
        #expect(
            RunbookOrder.cycles(in: entries([("a", 0, ["b"]), ("b", 0, ["c"]), ("c", 0, ["a"])])) == [
                ["a", "b", "c", "a"]
            ])
        #expect(
            RunbookOrder.cycles(in: entries([("x", 0, ["a"]), ("a", 0, ["b"]), ("b", 0, ["a"])])) == [["a", "b", "a"]])
        #expect(RunbookOrder.cycles(in: entries([("a", 0, ["a"])])) == [["a", "a"]])
        #expect(RunbookOrder.cycles(in: entries([("a", 0, []), ("b", 0, ["a"]), ("c", 0, ["a", "b"])])) == [])
    }

    /// Every order keeps every `after`, whatever the graph.
    @Test func keepsEveryAfterInRandomGraphs() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let count = Int.random(in: 1...12, using: &generator)
            let ranks = Array(0..<count).shuffled(using: &generator)
            let entries = (0..<count).map { node in
                RunbookOrder.Entry(
                    id: "\(node)", phase: ranks[node] / 4,
                    after: (0..<count).filter { ranks[$0] < ranks[node] && Bool.random(using: &generator) }.map(
                        String.init))
            }
            guard let order = RunbookOrder.positions(of: entries) else {
                Issue.record("no order for \(entries)")
                continue
            }
            #expect(order.sorted() == Array(0..<count))
            for (place, node) in order.enumerated() {
                for before in entries[node].after {
                    #expect(order.firstIndex(of: Int(before) ?? -1) ?? .max < place)
                }
            }
            #expect(RunbookOrder.cycles(in: entries) == [])
        }
    }

    /// A long chain exhausts neither stack nor patience.
    @Test func standsALongChain() {
        let entries = (0..<20_000).map { RunbookOrder.Entry(id: "\($0)", after: $0 == 0 ? [] : ["\($0 - 1)"]) }
        #expect(RunbookOrder.cycles(in: entries.reversed()) == [])
    }
}

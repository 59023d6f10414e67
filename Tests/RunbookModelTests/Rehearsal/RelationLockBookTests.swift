import RunbookModel
import Testing

@Suite struct RelationLockBookTests {
    private func sight(_ relation: String, _ mode: RelationLockMode) -> RelationLockBook.Sight {
        RelationLockBook.Sight(relation: relation, mode: mode)
    }

    /// Guarantee: a lock counts from its first sight to the end, under the runbook that took it.
    @Test func heldFromFirstSightToTheEnd() {
        var book = RelationLockBook()
        book.look([sight("a", .accessShare)], runbook: "one", at: .seconds(1))
        book.look([sight("a", .accessShare), sight("a", .accessExclusive)], runbook: "two", at: .seconds(3))
        book.look(
            [sight("a", .accessShare), sight("a", .accessExclusive), sight("b", .rowExclusive)], runbook: "three",
            at: .seconds(4))

        #expect(
            book.locks(endedAt: .seconds(10)) == [
                RelationLock(relation: "a", mode: .accessExclusive, runbook: "two", heldMS: 7000),
                RelationLock(relation: "b", mode: .rowExclusive, runbook: "three", heldMS: 6000),
            ])
    }

    /// Guarantee: what went with a savepoint was held until then, and what is taken again counts anew; the longest is told.
    @Test func goneWithItsSavepoint() {
        var book = RelationLockBook()
        book.look([sight("a", .share)], runbook: "one", at: .seconds(1))
        book.look([], runbook: "one", at: .seconds(3))
        book.look([sight("a", .share)], runbook: "two", at: .seconds(5))

        #expect(
            book.locks(endedAt: .seconds(6)) == [
                RelationLock(relation: "a", mode: .share, runbook: "one", heldMS: 2000)
            ]
        )
    }

    /// Guarantee: strongest first, then by name.
    @Test func strongestFirst() {
        var book = RelationLockBook()
        book.look(
            [sight("b", .share), sight("c", .rowShare), sight("a", .share), sight("d", .accessExclusive)],
            runbook: "one", at: .zero)

        #expect(book.locks(endedAt: .zero).map(\.relation) == ["d", "a", "b", "c"])
    }
}

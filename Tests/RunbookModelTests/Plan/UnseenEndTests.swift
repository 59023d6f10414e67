import RunbookModel
import Testing

@Suite struct UnseenEndTests {
    private func receipt(_ state: ExecutionState, clean: Bool? = nil) -> RecordedExecution {
        RecordedExecution(state: state, clean: clean, checksum: "")
    }

    /// Guarantee: whatever the ledger says, a receipt of success settles it; whatever it says, a receipt without an end
    /// leaves it open.
    @Test(arguments: ExecutionState.allCases) func receiptGoesFirst(_ state: ExecutionState) {
        let record = RecordedExecution(state: state, clean: state == .failed ? false : nil, checksum: "sha256:1")
        #expect(UnseenEnd.of(record, receipt: receipt(.succeeded)) == .settled(.succeeded))
        #expect(UnseenEnd.of(record, receipt: receipt(.baselined)) == .settled(.baselined))
        #expect(UnseenEnd.of(record, receipt: receipt(.running)) == .open(.running))
        #expect(UnseenEnd.of(record, receipt: receipt(.unknown)) == .open(.unknown))
        #expect(UnseenEnd.of(nil, receipt: receipt(.failed, clean: false)) == .open(.failed))
    }

    /// Guarantee: without a receipt the record decides; what failed cleanly needs no person.
    @Test func recordDecidesAlone() {
        func end(_ state: ExecutionState, clean: Bool? = nil) -> UnseenEnd {
            .of(RecordedExecution(state: state, clean: clean, checksum: ""), receipt: nil)
        }
        #expect(end(.running) == .open(.running))
        #expect(end(.unknown) == .open(.unknown))
        #expect(end(.failed, clean: false) == .open(.failed))
        #expect(end(.failed, clean: true) == .settled(.failed))
        #expect(end(.failed) == .settled(.failed))
        #expect(end(.succeeded) == .settled(.succeeded))
        #expect(end(.baselined) == .settled(.baselined))
        #expect(end(.rolledBack) == .settled(.rolledBack))
        #expect(UnseenEnd.of(nil, receipt: nil) == .settled(nil))
        #expect(UnseenEnd.of(nil, receipt: receipt(.failed)) == .settled(.failed))
    }
}

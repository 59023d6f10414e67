import RunbookModel
import Testing

@Suite struct BaselineDecisionTests {
    private static let sides: [RecordedExecution?] =
        [nil]
        + ExecutionState.allCases.flatMap { state in
            [nil, true, false].map { RecordedExecution(state: state, clean: $0, checksum: "sha256:a") }
        }

    /// Guarantee: what is done anywhere is never declared again, what may be going on is never declared over, and all
    /// else is.
    @Test func everyPairIsDecided() {
        for record in Self.sides {
            for receipt in Self.sides {
                let isOpen = { (side: RecordedExecution?) in
                    side.map { [.running, .unknown].contains($0.state) || ($0.state == .failed && $0.clean == false) }
                        ?? false
                }
                switch BaselineDecision.of(record, receipt: receipt) {
                case .done: #expect(record?.state.isDone == true)
                case .follow:
                    #expect(receipt?.state.isDone == true)
                    #expect(record?.state.isDone != true)
                case .declare:
                    #expect(record?.state.isDone != true && receipt?.state.isDone != true)
                    #expect(!isOpen(record) && !isOpen(receipt))
                case .refuse(let state):
                    #expect(isOpen(record) || isOpen(receipt))
                    #expect(record?.state == state || receipt?.state == state)
                    #expect(receipt?.state.isDone != true)
                }
            }
        }
    }
}

import DatabaseAccess

/// What a stage's message has answered so far, script by script.
struct StageAnswers {
    struct Block {
        var rows = 0
        /// From claim to record, by the server's clock.
        var milliseconds: Int?
        var commitTag: String?
        var notices: [String] = []
    }

    let message: ScriptMessage
    private(set) var blocks: [Block]
    private var answered = 0

    init(message: ScriptMessage, count: Int) {
        self.message = message
        blocks = Array(repeating: Block(), count: count)
    }

    /// - Returns: the script whose record this was.
    mutating func take(_ result: StatementResult, at index: Int) -> Int? {
        answered = index + 1
        guard let place = message.place(ofResult: index) else { return nil }
        switch place.part {
        case .script: blocks[place.block].rows += result.rowsAffected
        case .commit: blocks[place.block].commitTag = result.tag
        case .record where place.isLast:
            blocks[place.block].milliseconds = result.firstRow?[0].integer
            return place.block
        default: break
        }
        return nil
    }

    mutating func take(notice: String) {
        // What a claim says so that the answers before it are sent is nobody's news.
        guard notice != "INFO: muster: next runbook" else { return }
        blocks[message.place(afterResults: answered).block].notices.append(notice)
    }
}

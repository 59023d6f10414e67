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
    private var piece = 0
    private let hasOneClaim: Bool

    /// - Parameter hasOneClaim: whether one record answers for all of them, and a step stands between two.
    init(message: ScriptMessage, count: Int, hasOneClaim: Bool) {
        self.message = message
        self.hasOneClaim = hasOneClaim
        blocks = Array(repeating: Block(), count: count)
    }

    /// - Returns: the script that has ended with this.
    mutating func take(_ result: StatementResult, at index: Int) -> Int? {
        answered = index + 1
        guard let place = message.place(ofResult: index, from: &piece) else { return nil }
        switch place.part {
        case .script: blocks[place.block].rows += result.rowsAffected
        case .commit: blocks[place.block].commitTag = result.tag
        case .claim where hasOneClaim && place.block > 0: return place.block - 1
        case .record where place.isLast && hasOneClaim:
            takeTimes(result.firstRow?[0].text ?? "")
            return place.block
        case .record where place.isLast:
            blocks[place.block].milliseconds = result.firstRow?[0].integer
            return place.block
        default: break
        }
        return nil
    }

    /// - Parameter times: seconds, with commas: when each script began, and when the last one ended.
    private mutating func takeTimes(_ times: String) {
        let times = times.split(separator: ",").compactMap { Double($0) }
        guard times.count == blocks.count + 1 else { return }
        for index in blocks.indices {
            blocks[index].milliseconds = Int(exactly: ((times[index + 1] - times[index]) * 1000).rounded(.down))
        }
    }

    mutating func take(notice: String) {
        // What a claim says so that the answers before it are sent is nobody's news.
        guard notice != "INFO: muster: next runbook" else { return }
        blocks[message.place(afterResults: answered).block].notices.append(notice)
    }
}

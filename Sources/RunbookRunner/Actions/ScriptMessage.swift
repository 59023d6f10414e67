/// A message of several parts, which finds the part that a failure belongs to.
struct ScriptMessage {
    enum Part: Hashable {
        case begin
        case claim
        case settings
        case target
        case script
        case verify
        case constraints
        case record
        case commit
        case reset
    }

    private(set) var text = ""
    private var parts: [(part: Part, firstResult: Int, offset: Int, length: Int)] = []
    private var results = 0
    private var scalars = 0

    /// Appends a text that holds `statements` statements that answer. A newline follows it.
    mutating func append(_ part: Part, _ piece: String, statements: Int = 1) {
        let length = piece.unicodeScalars.count
        parts.append((part, results, scalars, length))
        text += piece
        text += "\n"
        results += statements
        scalars += length + 1
    }

    /// The part that the statement after `results` answers belongs to.
    func part(afterResults results: Int) -> Part {
        parts.last { $0.firstResult <= results }?.part ?? .begin
    }

    /// Index of the first result of a part.
    func firstResult(of part: Part) -> Int? {
        parts.first { $0.part == part }?.firstResult
    }

    /// A 1-based position of the server as a 0-based offset inside a part, or nil when it lies elsewhere.
    func offset(of position: Int, in part: Part) -> Int? {
        guard let place = parts.first(where: { $0.part == part }) else { return nil }
        let offset = position - 1 - place.offset
        return (0...place.length).contains(offset) ? offset : nil
    }
}

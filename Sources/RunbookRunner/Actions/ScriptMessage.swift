/// A message of one block for each runbook, and of several parts in each, which finds the part that an answer or a
/// failure belongs to.
struct ScriptMessage {
    enum Part: Hashable {
        case begin
        case claim
        case settings
        case target
        case script
        /// What ends the script's last statement; it has no answer of its own.
        case semicolon
        case verify
        case constraints
        case record
        case commit
        case reset
    }

    private struct Piece {
        var part: Part
        var block: Int
        var results: Range<Int>
        /// In bytes of the text.
        var place: Range<Int>
    }

    private(set) var text = ""
    private var pieces: [Piece] = []
    private var block = 0

    /// - Parameter capacity: about how many bytes it will have.
    init(capacity: Int) { text.reserveCapacity(capacity) }

    /// What is appended from here on belongs to the block of that index.
    mutating func begin(block index: Int) { block = index }

    /// Appends a text that holds `statements` statements that answer. A newline follows it.
    mutating func append(_ part: Part, _ piece: String, statements: Int = 1) {
        let first = pieces.last?.results.upperBound ?? 0
        let start = text.utf8.count
        text += piece
        pieces.append(
            Piece(part: part, block: block, results: first..<first + statements, place: start..<text.utf8.count))
        text += "\n"
    }

    /// Where the statement after `results` answers belongs to.
    func place(afterResults results: Int) -> (block: Int, part: Part) {
        pieces.last { $0.results.lowerBound <= results }.map { ($0.block, $0.part) } ?? (0, .begin)
    }

    /// What the answer of that index belongs to, and whether it is the last of its part.
    ///
    /// - Parameter hint: where the answer before was found, at the beginning 0: answers come in order.
    func place(ofResult index: Int, from hint: inout Int) -> (block: Int, part: Part, isLast: Bool)? {
        while hint < pieces.count, pieces[hint].results.upperBound <= index { hint += 1 }
        guard hint < pieces.count, case let piece = pieces[hint], piece.results.contains(index) else { return nil }
        return (piece.block, piece.part, index == piece.results.upperBound - 1)
    }

    /// Index of the first answer of a block's script.
    func firstResult(ofScript block: Int) -> Int {
        pieces.first { $0.block == block && $0.part == .script }?.results.lowerBound ?? 0
    }

    /// A 1-based position of the server, counted in Unicode scalars, as a 0-based offset inside a script.
    func script(at position: Int) -> (block: Int, offset: Int)? {
        let scalars = text.unicodeScalars
        guard let index = scalars.index(scalars.startIndex, offsetBy: position - 1, limitedBy: scalars.endIndex) else {
            return nil
        }
        let byte = text.utf8.distance(from: text.startIndex, to: index)
        let piece = pieces.first { $0.part == .script && ($0.place.lowerBound...$0.place.upperBound).contains(byte) }
        guard let piece else { return nil }
        let start = text.utf8.index(text.startIndex, offsetBy: piece.place.lowerBound)
        return (piece.block, scalars.distance(from: start, to: index))
    }
}

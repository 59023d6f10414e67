import DatabaseAccess

/// What is sent to the server at once.
enum OutgoingMessage {
    /// Any number of statements (simple query).
    case text(String)
    /// Statements with their parameters (extended query). What fails keeps those after it from running. Only the rows of
    /// those at `answers` are read. Several go in libpq's pipeline mode (libpq, 34.5).
    case statements([BoundStatement], answers: Range<Int>)

    /// How many ends there are to wait for.
    var count: Int {
        switch self {
        case .text: 1
        case .statements(let statements, _): statements.count
        }
    }

    var isPipelined: Bool {
        switch self {
        case .text: false
        case .statements(let statements, _): statements.count > 1
        }
    }

    /// Whether the rows of the statement of that index are read.
    func isAnswer(_ index: Int) -> Bool {
        switch self {
        case .text: true
        case .statements(_, let answers): answers.contains(index)
        }
    }

    var texts: [String] {
        switch self {
        case .text(let text): [text]
        case .statements(let statements, _): statements.map(\.text)
        }
    }
}

/// One statement with its parameters.
struct BoundStatement {
    let text: String
    let parameters: BoundParameters

    /// - Throws: `.refused`, see `BoundParameters`.
    init(_ text: String, _ parameters: [DatabaseValue] = []) throws(DatabaseError) {
        self.text = text
        self.parameters = try BoundParameters(parameters)
    }
}

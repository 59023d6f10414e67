/// What is sent to the server at once.
enum OutgoingMessage {
    /// Any number of statements (simple query).
    case text(String)
    /// One statement with its parameters (extended query).
    case statement(String, BoundParameters)

    var text: String {
        switch self {
        case .text(let text), .statement(let text, _): text
        }
    }
}

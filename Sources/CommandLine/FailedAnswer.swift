import Reporting
import RunbookModel

/// What a command answers that could not answer: its own document's shape, with `null` for what it would have said.
struct FailedAnswer: TextAnswer {
    var schema: String
    /// null when the command itself was not understood.
    var command: String?
    var problem: Problem
    /// The document's other members.
    var members: [String]

    private struct Member: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(_ name: String) { stringValue = name }
        init?(stringValue: String) { self.init(stringValue) }
        init?(intValue: Int) { nil }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Member.self)
        try container.encode(schema, forKey: Member("schema"))
        try container.encodeIfPresent(command, forKey: Member("command"))
        try container.encode(false, forKey: Member("ok"))
        try container.encode(problem.status.rawValue, forKey: Member("exitCode"))
        for member in members { try container.encodeNil(forKey: Member(member)) }
        try container.encode(problem.reportError, forKey: Member("error"))
    }

    func lines(_ layout: TextLayout) -> [String] {
        problem.reportError.lines(exitCode: Int(problem.status.rawValue), layout)
    }
}

import PostgresAccess
import Reporting
import RunbookModel
import SQLiteAccess

enum VersionCommand: Command {
    static let definition = CommandDefinition(
        "version",
        summary: "The version.",
        discussion: "Prints the version; --format json adds those of Swift, libpq and SQLite.",
        exits: [(.done, "Always.")],
        examples: ["muster version --format json"])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Answer {
        // libpq is not loaded for what is not shown.
        let libpq = arguments.format == .text ? nil : PostgresLibrary.version
        return Answer(
            VersionAnswer(
                version: MusterVersion.current, swift: MusterVersion.compiler, libpq: libpq,
                sqlite: SQLiteLibrary.version), .done)
    }

    static func failure(_ problem: Problem, _ context: CommandContext) -> any TextAnswer {
        FailedAnswer(
            schema: "muster.version/1", command: "version", problem: problem,
            members: ["version", "swift", "libpq", "sqlite"])
    }
}

/// `muster version`: encodes as `muster.version/1`.
struct VersionAnswer: TextAnswer {
    let schema = "muster.version/1"
    let command = "version"
    let ok = true
    let exitCode = 0
    var version: String
    /// The compiler that built it.
    var swift: String
    /// nil where it is not installed.
    var libpq: String?
    var sqlite: String
    var error: ReportError?

    func lines(_ layout: TextLayout) -> [String] { ["muster \(version)"] }
}

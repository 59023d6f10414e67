import Reporting
import RunbookModel
import RunbookRunner

enum LedgerExportCommand: Command {
    static let definition = CommandDefinition(
        "ledger", "export",
        summary: "Every record of the ledger, one JSON object a line.",
        discussion: "Writes what is done (the view `completed`), or with --all everything on record, to stdout as "
            + "NDJSON, in the order of the tenants' names. Any number of tenants takes the same memory. It reads in pages, "
            + "each as it is then: what is finished meanwhile may or may not be there. It writes nothing.",
        flags: [.manifest, .readOnlyLedger, .workspace, .all], general: [.noColor, .help],
        exits: [
            (.done, "Everything was written."), (.failed, "It could not be written."),
            (.refused, "There is no ledger, or the manifest is invalid."),
            (.tryAgain, "The ledger could not be reached."),
        ],
        examples: [
            "muster ledger export > completed.ndjson", "muster ledger export --all | jq 'select(.state == \"failed\")'",
        ])

    /// Nothing is left to say once the records are written.
    private struct Nothing: TextAnswer {
        func lines(_ layout: TextLayout) -> [String] { [] }
    }

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Answer {
        let choice = try context.ledger(arguments)
        try await context.service.export(
            ledger: choice.settings, workspace: choice.workspace, onlyDone: !arguments.isOn(.all)
        ) { records in
            var lines = ""
            for record in records { lines += try ReportEncoder.value(of: record).line + "\n" }
            if !lines.isEmpty { context.output.write(lines) }
        }
        return Answer(Nothing(), .done)
    }

    static func failure(_ problem: Problem, _ context: CommandContext) -> any TextAnswer {
        FailedAnswer(schema: "muster.error/1", command: "ledger export", problem: problem, members: [])
    }
}

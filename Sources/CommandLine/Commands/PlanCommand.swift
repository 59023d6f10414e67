import ManifestFiles
import Reporting
import RunbookModel
import RunbookRunner

enum PlanCommand: Command {
    static let definition = CommandDefinition(
        "plan",
        summary: "What would run, where, and why not; writes nothing.",
        discussion: "Compares the manifest with the ledger and says for every runbook on how many tenants it would "
            + "run, and why it would not on others. It takes no lock and writes nothing, neither to the tenants nor "
            + "to the ledger.",
        flags: [.manifest, .ledger] + Flag.selection
            + [.expectTenants, .exitCode, .unsupported("out", .text("FILE")), .quiet],
        exits: [
            (.done, "The plan could be made, whether or not work is pending."),
            (.pending, "With --exit-code: work is pending."),
            (.refused, "Invalid manifest, drift, unknown name, or a set of tenants that is not as expected."),
            (.tryAgain, "A server could not be reached."),
        ],
        examples: ["muster plan --phase pre-deploy --exit-code"])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Answer {
        let loaded = try context.manifest(arguments)
        context.warn(loaded, arguments)
        var report = context.secrets.masker(
            await context.service.plan(
                loaded.manifest, arguments.selection, expectedTenants: arguments.count(.expectTenants)))
        if report.ok, report.pending > 0 {
            report.next = arguments.commandLine("apply", flags: ApplyCommand.definition.flags)
            if arguments.isOn(.exitCode) { report.exitCode = Int(ExitStatus.pending.rawValue) }
        }
        return Answer(report, exitCode: report.exitCode, isProblem: report.error != nil)
    }

    static func failure(_ problem: Problem, _ context: CommandContext) -> any TextAnswer {
        PlanReport(
            ok: false, exitCode: Int(problem.status.rawValue), ledgerExists: false, error: problem.reportError)
    }
}

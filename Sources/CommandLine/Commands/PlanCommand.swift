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
            + "to the ledger. Preflight queries are asked read-only, each in the tenants where its runbook is pending. "
            + "With --out the plan is saved: apply --plan does exactly that, or refuses when anything has moved.",
        flags: [.manifest, .ledger] + Flag.selection
            + [.concurrency, .expectTenants, .exitCode, .out, .quiet, .planVerbose],
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
        let file = try arguments.text(.out).map { path throws(UsageError) in
            try DocumentFile(path, flag: "--out", arguments, context)
        }
        let (made, saved) = await made(loaded, arguments, context, isSaved: file != nil)
        var report = context.secrets.masker(made)
        if let file, var saved {
            saved.madeAt = context.timepiece.now.rfc3339
            saved.estimate = report.estimate
            saved.notices = report.notices
            try SavedPlanFile.write(saved, to: file)
        }
        if report.ok, report.pending > 0 {
            report.next = nextCommand(arguments)
            if arguments.isOn(.exitCode) { report.exitCode = Int(ExitStatus.pending.rawValue) }
        }
        let isVerbose = arguments.isOn(.planVerbose) && report.error == nil
        return Answer(
            isVerbose ? VerbosePlan(report) : report, exitCode: report.exitCode, isProblem: report.error != nil)
    }

    private static func made(
        _ loaded: LoadedManifest, _ arguments: ParsedArguments, _ context: CommandContext, isSaved: Bool
    ) async -> (PlanReport, SavedPlan?) {
        let (expected, concurrency) = (arguments.count(.expectTenants), arguments.count(.concurrency))
        guard isSaved else {
            let report = await context.service.plan(
                loaded.manifest, arguments.selection, expectedTenants: expected, concurrency: concurrency)
            return (report, nil)
        }
        return await context.service.savedPlan(
            loaded.manifest, arguments.selection, expectedTenants: expected, concurrency: concurrency)
    }

    /// A saved plan has its selection in it.
    private static func nextCommand(_ arguments: ParsedArguments) -> String {
        let flags = ApplyCommand.definition.flags
        guard let file = arguments.text(.out) else { return arguments.commandLine("apply", flags: flags) }
        let selection = Set(Flag.selection.map(\.name))
        return arguments.commandLine(
            "apply --plan \(ShellWord.quoted(file))", flags: flags.filter { !selection.contains($0.name) })
    }

    static func failure(_ problem: Problem, _ context: CommandContext) -> any TextAnswer {
        PlanReport(
            ok: false, exitCode: Int(problem.status.rawValue), ledgerExists: false, error: problem.reportError)
    }
}

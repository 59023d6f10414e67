import ManifestFiles
import Reporting
import RunbookModel
import RunbookRunner

enum LedgerRepairCommand: Command {
    static let definition = CommandDefinition(
        "ledger", "repair",
        summary: "Compare ledger and tenants, and set right what disagrees.",
        discussion: "Without an action it only says what the ledger and the tenants' own receipts disagree about. With "
            + "one, it sets that kind of disagreement right, each tenant under its lock, and keeps who did it and why.",
        flags: [
            .manifest, .ledger, .tenant, .match, .skipTenant, .runbook, .adopt, .forgetMissing, .acceptChecksum,
            .reason, .lockWait, .confirmed, .quiet,
        ],
        exits: [
            (.done, "Ledger and tenants agree, or do so now."),
            (.refused, "They disagree; or an unknown name, an invalid manifest, no ledger."),
            (.usage, "Wrong usage: two actions, or an action without a reason."),
            (.tryAgain, "A tenant's lock was not free in time, or a server could not be reached."),
        ],
        examples: [
            "muster ledger repair",
            "muster ledger repair --tenant acme --forget-missing --reason \"restored from Sunday's backup\"",
        ])

    private static let actions: [(flag: Flag, action: RepairReport.Action)] = [
        (.adopt, .adopt), (.forgetMissing, .forgetMissing), (.acceptChecksum, .acceptChecksum),
    ]

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Answer {
        let chosen = actions.filter { arguments.isOn($0.flag) }
        guard chosen.count < 2 else {
            let names = chosen.map { "--\($0.flag.name)" }.joined(separator: " and ")
            throw UsageError("\(names) exclude each other: one at a time.", command: definition.name)
        }
        let action = chosen.first?.action
        if action != nil, arguments.text(.reason) == nil {
            throw UsageError(
                "--\(chosen[0].flag.name) needs --reason: it is kept with the act.", command: definition.name)
        }
        let manifest = try context.manifest(arguments).manifest
        if let flag = chosen.first?.flag {
            let tenants = arguments.list(.tenant)
            let place = tenants.isEmpty ? "the selected tenants" : Phrase.names(tenants)
            try context.confirm("--\(flag.name) on \(place) of workspace \(manifest.workspace)?", arguments)
        }
        let facts = DeployFacts(environment: context.environment, userName: context.userName())
        let report = await context.service.repair(
            manifest,
            RepairRequest(
                selection: arguments.selection, action: action, actor: facts.initiator.name,
                reason: arguments.text(.reason) ?? "", lockWait: arguments.duration(.lockWait)))
        return Answer(context.secrets.masker(report), exitCode: report.exitCode, isProblem: report.error != nil)
    }

    static func failure(_ problem: Problem, _ context: CommandContext) -> any TextAnswer {
        RepairReport(ok: false, exitCode: Int(problem.status.rawValue), error: problem.reportError)
    }
}

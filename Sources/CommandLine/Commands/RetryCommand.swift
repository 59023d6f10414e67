import ManifestFiles
import Reporting
import RunbookModel
import RunbookRunner

enum RetryCommand: Command {
    static let definition = CommandDefinition(
        "retry",
        summary: "Run again what failed in one run.",
        discussion: "Runs what a completed run did not get done: its runbooks, in the tenants where it failed, was "
            + "blocked or was cancelled, and nowhere else; what the manifest has gained since is left to apply. It is a "
            + "new run, with the same locks, report and exit codes as apply.",
        parameters: [Parameter("RUN", help: "A run's id, as `muster runs` lists it.")],
        flags: [
            .manifest, .ledger, .tenant, .match, .skipTenant, .concurrency, .lockWait, .release, .grace, .report, .yes,
            .quiet, .verbose,
        ],
        exits: [
            (.done, "Everything that run had left is proven done, or it had left nothing."),
            (.failed, "Failed: no tenant completed, or an internal error."),
            (.partial, "Some tenants are done, some are not; the same command continues."),
            (
                .refused,
                "Refused, with nothing touched: no such run, still open, or the manifest lists its work no more."
            ),
            (.undecided, "A person must decide first: the end of at least one execution was not seen."),
            (.usage, "Wrong usage."),
            (.tryAgain, "Try again later: a lock was not free in time or a server not reachable; nothing failed."),
            (.interrupted, "Interrupted by INT after a safe stop; the same command continues."),
            (.terminated, "The same by TERM."),
        ],
        examples: [
            "muster retry 01JB2V9S7YQ4", "muster retry 01JB2V9S7YQ4 --tenant acme",
            "muster retry 01JB2V9S7YQ4 -f deploy.json5 --format json",
        ])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Answer {
        let run = arguments.positionals[0]
        let environment = context.environment
        return try await ApplyCommand.answer("retry \(ShellWord.quoted(run))", arguments, context) {
            await context.service.retry(
                $0, run: run, $1, listing: { ManifestListing.runbooks(in: $0, environment: environment) }, events: $2,
                stop: $3)
        }
    }

    static func failure(_ problem: Problem, _ context: CommandContext) -> any TextAnswer {
        ApplyCommand.failure(of: "retry", problem, context)
    }
}

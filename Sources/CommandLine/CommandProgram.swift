import FoundationEssentials
import Reporting
package import RunbookModel

/// The command line from its arguments to its exit status; `main.swift` does nothing else but call it.
package struct CommandProgram: Sendable {
    private let context: CommandContext

    package init(_ context: CommandContext) { self.context = context }

    package func run() async -> ExitStatus {
        let parser = ArgumentParser(CommandCatalogue.definitions, unsupported: CommandCatalogue.unsupported)
        do throws(UsageError) {
            switch try parser.parse(context.arguments, environment: context.environment) {
            case .help(let topic):
                let width = min(context.output.terminal?.columns ?? 80, 100)
                let lines = HelpText(CommandCatalogue.definitions, width: width).lines(topic)
                context.output.write(lines.joined(separator: "\n") + "\n")
                return .done
            case .run(let arguments):
                return await run(arguments)
            }
        } catch {
            return misused(error)
        }
    }

    private func run(_ arguments: ParsedArguments) async -> ExitStatus {
        guard let command = CommandCatalogue.commands.first(where: { $0.definition.path == arguments.command.path })
        else { return .failed }
        let printer = AnswerPrinter(context: context, arguments: arguments)
        do throws(UsageError) {
            let files = try ReportFile.all(arguments, context)
            var answer = try await self.answer(command, arguments)
            for file in files {
                do {
                    try file.write(answer.document)
                } catch {
                    printer.complain("The report was not written: \(Problem(error).message)")
                    answer.status = answer.status.merged(with: .failed)
                }
            }
            printer.print(answer)
            return answer.status
        } catch {
            return misused(error)
        }
    }

    private func answer(
        _ command: any Command.Type, _ arguments: ParsedArguments
    ) async throws(UsageError) -> Answer {
        do {
            return try await command.run(arguments, context)
        } catch let error as UsageError {
            throw error
        } catch {
            var problem = Problem(error)
            problem.message = context.secrets.masker(problem.message)
            return Answer(command.failure(problem, context), problem.status, isProblem: true)
        }
    }

    /// Says on stderr what cannot be understood; on stdout only for who asked for JSON.
    private func misused(_ error: UsageError) -> ExitStatus {
        var problem = Problem(error)
        problem.message = context.secrets.masker(problem.message)
        let help = (["muster", error.command, "--help"] as [String?]).compactMap(\.self).joined(separator: " ")
        context.errors.write("muster: \(problem.message.printable)\nSee `\(help)`.\n")
        if let format = wantedFormat, format != .text {
            let answer = FailedAnswer(schema: "muster.error/1", command: error.command, problem: problem, members: [])
            if let value = try? ReportEncoder.value(of: answer) {
                context.output.write((format == .json ? value.page : value.line) + "\n")
            }
        }
        return problem.status
    }

    /// The format as far as it can be told from a command line that makes no sense otherwise.
    private var wantedFormat: OutputFormat? {
        let arguments = context.arguments
        let joined = arguments.last { $0.hasPrefix("--format=") }.map { String($0.dropFirst("--format=".count)) }
        let following = arguments.lastIndex(of: "--format").map { arguments[($0 + 1)...] }?.first
        return (joined ?? following ?? context.environment["MUSTER_FORMAT"]).flatMap(OutputFormat.init)
    }
}

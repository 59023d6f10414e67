import Reporting
import RunbookModel

/// Puts an answer where it belongs: data on stdout, everything else on stderr.
struct AnswerPrinter {
    let context: CommandContext
    let arguments: ParsedArguments

    func print(_ answer: Answer) {
        let format = arguments.format
        let isSilent = arguments.isOn(.quiet) && answer.status == .done
        if !isSilent {
            if format == .text, !answer.isProblem {
                write(answer, to: context.output)
            } else if answer.isProblem || answer.document is RunAnswer {
                write(answer, to: context.errors)
            }
        }
        guard format != .text else { return }
        do {
            try writeDocument(answer, format)
            context.output.write("\n")
        } catch {
            complain("The answer could not be written as JSON: \(error)")
        }
    }

    func complain(_ message: String) {
        context.errors.write("muster: \(context.secrets.masker(message).printable)\n")
    }

    private func write(_ answer: Answer, to stream: any TextOutput) {
        let lines = answer.document.lines(context.layout(for: stream, arguments))
        if !lines.isEmpty { stream.write(lines.joined(separator: "\n") + "\n") }
    }

    /// In NDJSON a run's report is the last of its events.
    private func writeDocument(_ answer: Answer, _ format: OutputFormat) throws {
        if format == .ndjson, let run = answer.document as? RunAnswer {
            return context.output.write(try RunEvent.summary(run.report).json(at: context.timepiece.now).line)
        }
        try ReportEncoder.write(answer.document, isPage: format == .json) { context.output.write($0) }
    }
}

import Reporting
import RunbookModel

extension CommandContext {
    /// Asks the person at the terminal, unless `--yes` was given. Where nobody can be asked the command line is the word.
    ///
    /// - Throws: for every answer but yes.
    func confirm(_ question: String, _ arguments: ParsedArguments) throws {
        guard !arguments.isOn(.confirmed), errors.terminal != nil else { return }
        errors.write("\(question) [y/N] ")
        guard let answer = answers.answer() else { return }
        guard ["y", "yes"].contains(answer.lowercased()) else {
            throw Problem("declined", "Nothing was changed.", .failed)
        }
    }
}

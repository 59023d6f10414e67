import FoundationEssentials
import Reporting
import RunbookModel

/// A file that gets the report besides stdout: `--report json=FILE`.
struct ReportFile {
    let kind: ReportKind
    let file: DocumentFile

    /// - Throws: for a kind that is not known, and for a folder that is not there: before anything runs.
    static func all(_ arguments: ParsedArguments, _ context: CommandContext) throws(UsageError) -> [ReportFile] {
        let kinds = ReportKind.allCases.map(\.rawValue)
        let command = arguments.command.name
        var files: [ReportFile] = []
        for text in arguments.list(.report) {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else {
                throw UsageError("--report takes KIND=FILE, as in json=report.json, not \"\(text)\".", command: command)
            }
            guard let kind = ReportKind(rawValue: parts[0]) else {
                throw UsageError(
                    "--report knows no \"\(parts[0])\"." + meant(parts[0], kinds), command: command)
            }
            files.append(
                ReportFile(kind: kind, file: try DocumentFile(parts[1], flag: "--report", arguments, context)))
        }
        return files
    }

    /// Writes the document whole or not at all.
    func write(_ document: any TextAnswer) throws {
        try file.write { write in
            guard let answer = document as? RunAnswer else {
                try ReportEncoder.write(document, isPage: true, to: write)
                return write("\n")
            }
            try kind.write(answer, version: MusterVersion.current, to: write)
        }
    }
}

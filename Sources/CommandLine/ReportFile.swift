import Foundation
import Reporting
import RunbookModel

/// A file that gets the report besides stdout: `--report json=FILE`.
struct ReportFile {
    private static let unsupportedKinds = ["junit", "markdown", "prometheus"]

    let path: String

    /// - Throws: for a kind that is not known, and for a folder that is not there: before anything runs.
    static func all(_ arguments: ParsedArguments, _ context: CommandContext) throws(UsageError) -> [ReportFile] {
        var files: [ReportFile] = []
        for text in arguments.list(.report) {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            let command = arguments.command.name
            guard parts.count == 2 else {
                throw UsageError("--report takes json=FILE, not \"\(text)\".", command: command)
            }
            if unsupportedKinds.contains(parts[0]) {
                throw UsageError("--report \(parts[0])=… is not supported yet.", command: command)
            }
            guard parts[0] == "json" else {
                throw UsageError(
                    "--report knows no \"\(parts[0])\"." + meant(parts[0], ["json"]), command: command)
            }
            let path = context.path(parts[1])
            let folder = URL(filePath: path).deletingLastPathComponent().path
            guard FileManager.default.isWritableFile(atPath: folder) else {
                throw UsageError("--report: there is no folder \(folder) to write to.", command: command)
            }
            files.append(ReportFile(path: path))
        }
        return files
    }

    /// Writes the document whole or not at all.
    func write(_ document: any TextAnswer) throws {
        var data = Data()
        try ReportEncoder.write(document, isPage: true) { data.append(contentsOf: $0.utf8) }
        data.append(UInt8(ascii: "\n"))
        try data.write(to: URL(filePath: path), options: .atomic)
    }
}

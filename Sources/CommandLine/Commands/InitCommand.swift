import FoundationEssentials
import ManifestFiles
import Reporting
import RunbookModel

enum InitCommand: Command {
    static let definition = CommandDefinition(
        "init",
        summary: "Write a commented manifest that runs as it is.",
        discussion: "Writes a manifest with comments, one script and the JSON Schema. It needs no server and changes "
            + "no file that is already there.",
        parameters: [Parameter("FOLDER", isRequired: false, help: "Where to; the current folder by default.")],
        exits: [
            (.done, "The files are written."), (.failed, "They could not be written."),
            (.refused, "At least one of them exists already; nothing was written."),
        ],
        examples: ["muster init && muster apply"])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Answer {
        let folder = arguments.positionals.first ?? "."
        let root = URL(filePath: context.path(folder), directoryHint: .isDirectory)
        let files = FileManager.default
        let existing = StarterProject.files.map(\.path).filter {
            files.fileExists(atPath: root.appending(path: $0).path)
        }
        guard existing.isEmpty else {
            throw Problem(
                "exists", "\(Phrase.names(existing)) in \(folder) would be overwritten; nothing was written.", .refused)
        }
        for name in StarterProject.folders {
            try files.createDirectory(at: root.appending(path: name), withIntermediateDirectories: true)
        }
        for file in StarterProject.files {
            try Data(file.contents.utf8).write(to: root.appending(path: file.path), options: .withoutOverwriting)
        }
        return Answer(
            InitAnswer(folder: folder, folders: StarterProject.folders, files: StarterProject.files.map(\.path)), .done)
    }

    static func failure(_ problem: Problem, _ context: CommandContext) -> any TextAnswer {
        FailedAnswer(
            schema: "muster.init/1", command: "init", problem: problem, members: ["folder", "folders", "files"])
    }
}

/// `muster init`: encodes as `muster.init/1`.
private struct InitAnswer: TextAnswer {
    let schema = "muster.init/1"
    let command = "init"
    let ok = true
    let exitCode = 0
    /// As the user named it.
    var folder: String
    var folders: [String]
    var files: [String]
    var error: ReportError?

    func lines(_ layout: TextLayout) -> [String] {
        let change = folder == "." ? "" : "cd \(ShellWord.quoted(folder)) && "
        return [
            "Wrote \(Phrase.names(files)).", "",
            "Read muster.json5, then try: "
                + layout.style.strong("\(change)muster plan && muster apply"),
        ]
    }
}

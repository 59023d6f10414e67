import DatabaseAccess
import FoundationEssentials
import Groundwork
import ManifestFiles
import PostgresAccess
import Reporting
import RunbookModel

/// Where a command that only reads the ledger finds it.
enum LedgerChoice {
    case manifest(Manifest)
    case ledger(LedgerSettings, workspace: String)

    var manifest: Manifest? {
        if case .manifest(let manifest) = self { manifest } else { nil }
    }

    var settings: LedgerSettings {
        switch self {
        case .manifest(let manifest): manifest.ledger
        case .ledger(let settings, _): settings
        }
    }

    var workspace: String {
        switch self {
        case .manifest(let manifest): manifest.workspace
        case .ledger(_, let workspace): workspace
        }
    }
}

extension CommandContext {
    /// The manifest that the arguments mean, with the ledger that they put in the place of its own.
    ///
    /// - Parameters:
    ///   - other: where it is when the arguments do not name it.
    ///   - connects: whether what it names will be connected to.
    func manifest(
        _ arguments: ParsedArguments, named other: String? = nil, connects: Bool = true
    ) throws -> LoadedManifest {
        let found = try ManifestFinder.find(
            named: arguments.text(.manifest) ?? other, environment: environment, in: currentDirectory)
        if connects, seemsToName(server: path(found)) {
            DetachedThread.start(stackSize: 4 << 20) { PostgresLibrary.load() }
        }
        var loaded = try ManifestLoader.load(path: path(found), environment: environment)
        secrets.add(loaded.manifest.source.secrets)
        if let url = try ledgerURL(arguments) {
            loaded.manifest.ledger.url = url
            loaded.manifest.ledger.directURL = nil
        }
        return loaded
    }

    /// The ledger alone when `--ledger` is given without `--manifest`, else the manifest with its ledger.
    func ledger(_ arguments: ParsedArguments) throws -> LedgerChoice {
        if arguments.text(.manifest) == nil, let url = try ledgerURL(arguments) {
            return .ledger(LedgerSettings(url: url), workspace: arguments.text(.workspace) ?? "default")
        }
        let manifest = try manifest(arguments).manifest
        if let workspace = arguments.text(.workspace), workspace != manifest.workspace {
            throw UsageError(
                "--workspace \(workspace) is not the manifest's, which is \(manifest.workspace).",
                command: arguments.command.name)
        }
        return .manifest(manifest)
    }

    /// Whether a server seems to be meant, by a glance at the text and the environment: only haste depends on it.
    private func seemsToName(server manifest: String) -> Bool {
        let schemes = ["postgres:", "postgresql:"]
        if environment.values.contains(where: { value in schemes.contains { value.hasPrefix($0) } }) { return true }
        guard let text = FileManager.default.contents(atPath: manifest)?.prefix(65_536) else { return false }
        return text.indices.contains { place in schemes.contains { text[place...].starts(with: $0.utf8) } }
    }

    private func ledgerURL(_ arguments: ParsedArguments) throws -> Redacted? {
        guard let text = arguments.text(.ledger) else { return nil }
        do {
            let url = try ConnectionURL(parsing: text)
            if url.description != text { secrets.add([Redacted(text)]) }
            guard let path = url.path, !path.hasPrefix("/") else { return Redacted(text) }
            let folder = URL(filePath: currentDirectory, directoryHint: .isDirectory)
            let file = folder.appending(path: path).standardizedFileURL.path(percentEncoded: true)
            return Redacted("sqlite:" + file)
        } catch {
            let hint = error.hint.map { " " + $0 } ?? ""
            throw UsageError("--ledger: \(error.message)\(hint)", command: arguments.command.name)
        }
    }

    /// Says on stderr what the manifest's author should know.
    func warn(_ loaded: LoadedManifest, _ arguments: ParsedArguments) {
        guard !arguments.isOn(.quiet) else { return }
        let style = layout(for: errors, arguments).style
        for warning in loaded.warnings {
            errors.write(style.warning("muster: warning: \(secrets.masker(warning.description))") + "\n")
        }
    }
}

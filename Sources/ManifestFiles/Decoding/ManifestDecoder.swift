import RunbookModel

/// Turns the tree of one manifest into the values that the rest works with; what is wrong goes to the log.
///
/// Each section answers as much as it understood, so that one mistake does not hide another.
final class ManifestDecoder {
    let log: DiagnosticLog
    let folder: ManifestFolder
    let environment: [String: String]
    private var expansion: VariableExpansion
    /// Passwords inside addresses, which are secrets wherever they come from.
    private var passwords: Set<String> = []
    /// Strings of the manifest that hold a password themselves: their bytes, and what is masked.
    private var writtenPasswords: [(range: Range<Int>, password: String)] = []

    init(log: DiagnosticLog, folder: ManifestFolder, environment: [String: String]) {
        self.log = log
        self.folder = folder
        self.environment = environment
        expansion = VariableExpansion(environment: environment, log: log)
    }

    private static let keys = [
        "$schema", "manifest", "workspace", "ledger", "tenants", "defaults", "concurrency", "phases", "runbooks",
        "hooks",
        "rollout", "alerts",
    ]

    /// - Returns: nil only after something was reported.
    func manifest(from tree: JSONNode, text: String) -> Manifest? {
        let root = ManifestField(node: expansion.expand(tree), path: "", log: log)
        guard let object = root.object(keys: Self.keys) else { return nil }

        _ = object["$schema"]?.text()
        if let field = object.required("manifest", remedy: "begin with manifest: 1"),
            let version = field.integer(in: 0...Int.max), version != 1
        {
            field.report("manifest \(version) is not known", remedy: "this program reads manifest: 1")
        }
        object["alerts"]?.refuseUnlessEmpty()

        let ledger = self.ledger(object)
        let tenants = self.tenants(object, ledger: ledger?.dialect)
        let phases = self.phases(object["phases"])
        let (limits, fuse) = defaults(object["defaults"])
        let context = RunbookContext(phases: phases, limits: limits, tenants: tenants, ledgerDialect: ledger?.dialect)
        let runbooks = self.runbooks(object, context)
        let concurrency = self.concurrency(object["concurrency"])
        let rollout = self.rollout(object["rollout"], context)
        let hooks = self.hooks(object["hooks"], context)
        let workspace = object["workspace"].map { $0.name(.workspace) } ?? "default"
        guard let workspace, let ledger, let tenants else { return nil }
        return Manifest(
            workspace: workspace, ledger: ledger.settings, tenants: tenants.settings, concurrency: concurrency,
            rollout: rollout, phases: phases, runbooks: runbooks, hooks: hooks, fuse: fuse, source: source(text))
    }

    /// Of a manifest that names none.
    static let defaultPhases = ["pre-deploy", "post-deploy"]

    private func phases(_ field: ManifestField?) -> [String] {
        let usual = Self.defaultPhases
        guard let field else { return usual }
        guard let fields = field.list() else { return usual }
        var phases: [String] = []
        for field in fields {
            guard let phase = field.name(.phase) else { continue }
            if phases.contains(phase) {
                field.report("the phase \(field.shown) is here twice")
            } else {
                phases.append(phase)
            }
        }
        if fields.isEmpty { field.report("is empty", remedy: "leave it out for \"pre-deploy\" and \"post-deploy\"") }
        return phases
    }

    private func concurrency(_ field: ManifestField?) -> Concurrency {
        var concurrency = Concurrency()
        guard let object = field?.object(keys: ["tenants", "per_server"]) else { return concurrency }
        if let tenants = object["tenants"]?.integer(in: 1...1024) { concurrency.tenants = tenants }
        if let perServer = object["per_server"]?.integer(in: 1...10_000) { concurrency.perServer = perServer }
        return concurrency
    }

    // MARK: - Secrets and the source

    /// The value of a variable as if the manifest held `${NAME}` there; nil when it is unset or empty.
    func variable(_ name: String, path: String, near field: ManifestField) -> ManifestField? {
        guard let value = environment[name], !value.isEmpty else { return nil }
        let start = field.node.range.lowerBound
        let node = JSONNode(value: .string(JSONString("${\(name)}")), range: start..<start)
        return ManifestField(node: expansion.expand(node, path: path), path: path, log: log)
    }

    /// Notes the password inside an address; one that the manifest itself holds is warned of.
    func note(password: String, in field: ManifestField) {
        if Int(password) == nil { passwords.insert(password) }
        guard case .string(let string) = field.node.value, string.source.contains(password) else { return }
        writtenPasswords.append((field.node.range, password))
        field.warn("a password stands in the manifest", remedy: "take it from the environment, as in ${DATABASE_URL}")
    }

    private func source(_ text: String) -> ManifestSource {
        let files = folder.checksums.sorted { $0.key < $1.key }.map { "\n\($1) \($0)" }
        let secrets = expansion.secrets.union(passwords).sorted { ($1.count, $0) < ($0.count, $1) }
        return ManifestSource(
            path: log.file, folder: folder.path, text: masked(text),
            digest: Checksum.of(Checksum.of(text) + files.joined()), secrets: secrets.map(Redacted.init))
    }

    /// The text as the ledger may have it: without the passwords that are written in it.
    private func masked(_ text: String) -> String {
        var bytes = Array(text.utf8)
        for (range, password) in writtenPasswords.sorted(by: { $0.range.lowerBound > $1.range.lowerBound }) {
            let token = String(decoding: bytes[range], as: UTF8.self)
            let masked = token.replacing(password, with: "****")
            // A password behind escapes is not found by its own letters: then nothing of the string stays.
            bytes.replaceSubrange(range, with: (masked == token ? "\"****\"" : masked).utf8)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

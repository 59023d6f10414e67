import RunbookModel

/// What a runbook's fields are read against.
struct RunbookContext {
    var phases: [String]
    var limits: RunbookLimits
    var tenants: DecodedTenants?
    var ledgerDialect: SQLDialect?

    func dialect(_ scope: RunbookScope) -> SQLDialect? {
        switch scope {
        case .tenant: tenants?.dialect
        case .workspace: ledgerDialect
        }
    }
}

extension ManifestDecoder {
    static let limitKeys = ["lock_wait", "lock_timeout", "statement_timeout", "runbook_timeout", "retries"]

    private static let runbookKeys =
        [
            "id", "key", "title", "phase", "after", "scope", "match", "barrier", "shared", "transaction", "repeatable",
            "foreign_keys", "on_change", "sql", "batch", "exec", "timeout", "dry_run", "verify", "preflight", "fuse",
        ] + limitKeys

    private static let laterKeys = ["rollback", "from", "format"]

    /// - Returns: the limits that runbooks inherit, and whether a stage is one transaction per tenant.
    func defaults(_ field: ManifestField?) -> (limits: RunbookLimits, fuse: Bool) {
        guard let object = field?.object(keys: Self.limitKeys + ["fuse"]) else { return (RunbookLimits(), false) }
        return (limits(object, over: RunbookLimits()), object["fuse"]?.boolean() ?? false)
    }

    /// Every runbook in the order of execution; in the manifest's order when that cannot be told.
    func runbooks(_ root: ManifestObject, _ context: RunbookContext) -> [Runbook] {
        guard let fields = root.required("runbooks")?.list() else { return [] }
        var declared: [DeclaredRunbook] = []
        var runbooks: [Runbook?] = []
        for field in fields {
            guard let object = field.object(keys: Self.runbookKeys, unsupported: Self.laterKeys) else { continue }
            let runbook = declaration(object, context)
            declared.append(runbook)
            runbooks.append(self.runbook(object, runbook, context))
        }
        let order = self.order(declared, phases: context.phases)
        return order.compactMap { runbooks[$0] }
    }

    private func declaration(_ object: ManifestObject, _ context: RunbookContext) -> DeclaredRunbook {
        let isLater = Self.laterKeys.contains { object.names.contains($0) }
        let id = isLater && object["id"] == nil ? nil : object.required("id")
        return DeclaredRunbook(
            field: object.field, idField: id, id: id?.name(.runbook), phaseField: object["phase"],
            phase: object["phase"].map { phase($0, context.phases) } ?? context.phases.first,
            after: object["after"]?.list() ?? [], isLater: isLater)
    }

    private func phase(_ field: ManifestField, _ phases: [String]) -> String? {
        guard let phase = field.text() else { return nil }
        guard phases.contains(phase) else {
            field.report("unknown phase \(field.shown)", remedy: suggestion(for: phase, among: phases))
            return nil
        }
        return phase
    }

    // MARK: - One runbook

    private func runbook(_ object: ManifestObject, _ declared: DeclaredRunbook, _ context: RunbookContext) -> Runbook? {
        let key = object["key"].map { $0.name(.key) } ?? "1"
        let title = object["title"]?.line()
        let scope = object["scope"].map { $0.choice(RunbookScope.self, noun: "scope") } ?? .tenant
        let onChange = object["on_change"].map { $0.choice(ChangePolicy.self, noun: "on_change") } ?? .fail
        let match = object["match"].map { labels($0, context) } ?? [:]
        let transaction = object["transaction"]?.boolean() ?? true
        let isRepeatable = object["repeatable"]?.boolean() ?? false
        let foreignKeys = object["foreign_keys"]?.boolean() ?? false
        let barrier = object["barrier"]?.boolean() ?? false
        let limits = self.limits(object, over: context.limits)
        refuseLater(object, "shared")
        if object["fuse"]?.boolean() == true {
            object["fuse"]?.report("stages are fused, not single runbooks", remedy: "write it in defaults")
        }

        let dialect = scope.flatMap { context.dialect($0) }
        let action = self.action(object, declared, dialect: dialect, transaction: transaction, limits: limits)
        let verify = object["verify"].flatMap { query($0, dialect: dialect) }
        let preflight = object["preflight"].flatMap { query($0, dialect: dialect) }

        if scope == .workspace { object.refuse(["match"], "selects tenants, and this runs once per workspace") }
        if dialect == .postgresql { object.refuse(["foreign_keys"], "is for SQLite; PostgreSQL always enforces them") }
        if isRepeatable, transaction, object["sql"] != nil {
            object["repeatable"]?.warn(
                "changes nothing for a transactional script, which leaves nothing behind when it fails",
                remedy: "to run a changed script again write on_change: \"rerun\"")
        }
        guard let id = declared.id, let key, let phase = declared.phase, let scope, let onChange, let action else {
            return nil
        }
        if case .sql(let script) = action.value, scope == .tenant, context.tenants?.sharesTables == true {
            warnOfSharedDefinitions(script, in: object)
        }
        let isSQL = if case .sql = action.value { true } else { false }
        return Runbook(
            id: id, key: key, title: title, phase: phase, after: declared.after.compactMap { $0.plainText },
            scope: scope, match: match, barrier: barrier, transaction: transaction && isSQL, repeatable: isRepeatable,
            foreignKeys: foreignKeys, onChange: onChange, action: action.value, verify: verify,
            preflight: preflight, limits: limits, checksum: action.checksum,
            line: log.place(ofByte: object.field.node.range.lowerBound).line)
    }

    private func action(
        _ object: ManifestObject, _ declared: DeclaredRunbook, dialect: SQLDialect?, transaction: Bool,
        limits: RunbookLimits
    ) -> (value: RunbookAction, checksum: String)? {
        if let exec = object["exec"] {
            object.refuse(["sql", "batch"], "stands beside exec", remedy: "a runbook does one thing; make it two")
            object.refuse(
                ["transaction", "foreign_keys", "lock_timeout", "statement_timeout"], "is for sql, and this is an exec",
                remedy: "leave it out")
            let timeout = object["timeout"].flatMap { $0.duration(in: Self.timeLimits) }
            let dryRun = object["dry_run"]?.boolean() ?? false
            guard let command = self.command(exec) else { return nil }
            let hook = HookCommand(
                arguments: command.arguments, timeout: timeout ?? limits.runbookTimeout ?? .seconds(3600),
                dryRun: dryRun)
            return (.exec(hook), command.checksum)
        }
        object.refuse(["timeout"], "is for exec", remedy: "for a script write runbook_timeout")
        object.refuse(["dry_run"], "is for exec", remedy: "leave it out")
        if let batch = object["batch"] {
            object.refuse(["sql"], "stands beside batch", remedy: "a runbook does one thing; make it two")
            return self.batch(batch, of: object, dialect: dialect)
        }
        guard let sql = object["sql"] else {
            if !declared.isLater { object.field.report("does nothing", remedy: "give it sql, batch or exec") }
            return nil
        }
        return script(sql, dialect: dialect, transactional: transaction).map { (.sql($0), $0.checksum) }
    }

    /// A file with one query.
    func query(_ field: ManifestField, dialect: SQLDialect?) -> SQLScript? {
        guard let script = self.script(field, dialect: dialect, transactional: true) else { return nil }
        if dialect != nil, script.statements.count > 1 {
            field.report("\(field.shown) holds \(script.statements.count) statements", remedy: "keep one query")
        }
        return script
    }

    func labels(_ field: ManifestField, _ context: RunbookContext) -> [String: [String]] {
        var match: [String: [String]] = [:]
        for (label, field) in field.members() ?? [] {
            if let known = context.tenants?.labels, !known.contains(label) {
                field.warn(
                    "no tenant has the label \(label.debugDescription), so none will match",
                    remedy: NearestName.of(label, in: known.sorted()).map { "did you mean \"\($0)\"?" })
            }
            switch field.node.value {
            case .string: match[label] = field.text().map { [$0] }
            case .array:
                let fields = field.list() ?? []
                if fields.isEmpty { field.report("is empty, so nothing matches", remedy: "leave the label out") }
                match[label] = fields.compactMap { $0.text() }
            default: field.mismatch("text or a list of texts")
            }
        }
        return match
    }

    // MARK: - Limits

    /// PostgreSQL keeps these settings as 32-bit milliseconds.
    static let timeLimits: ClosedRange<Duration> = .milliseconds(1)...(.seconds(86_400) * 24)

    private func limits(_ object: ManifestObject, over inherited: RunbookLimits) -> RunbookLimits {
        var limits = inherited
        let waits: ClosedRange<Duration> = .zero...(.seconds(86_400) * 24)
        if let wait = object["lock_wait"]?.duration(in: waits) { limits.lockWait = wait }
        if let limit = object["lock_timeout"]?.limit(in: Self.timeLimits) { limits.lockTimeout = limit.duration }
        if let limit = object["statement_timeout"]?.limit(in: Self.timeLimits) {
            limits.statementTimeout = limit.duration
        }
        if let limit = object["runbook_timeout"]?.limit(in: Self.timeLimits) { limits.runbookTimeout = limit.duration }
        if let retries = object["retries"]?.integer(in: 0...100) { limits.retries = retries }
        return limits
    }

    /// A switch whose feature is not built: it may be off.
    private func refuseLater(_ object: ManifestObject, _ key: String) {
        if object[key]?.boolean() == true { object[key]?.report("not supported yet", remedy: "leave it out") }
    }

    // MARK: - Shared tables

    /// Definitions of tables that tenants share would be tried once per tenant, and collide.
    private func warnOfSharedDefinitions(_ script: SQLScript, in object: ManifestObject) {
        let verbs: Set = ["CREATE", "ALTER", "DROP", "COMMENT", "GRANT", "REVOKE", "REINDEX", "TRUNCATE"]
        for statement in script.statements {
            let words = statement.text.split(maxSplits: 2) { !$0.isLetter }.prefix(2).map { $0.uppercased() }
            guard let verb = words.first, verbs.contains(verb), words.last != "TEMP", words.last != "TEMPORARY" else {
                continue
            }
            let place = TextPlace(line: statement.line, column: 1)
            log.warn(
                ManifestDiagnostic(
                    file: script.path, place: place,
                    message: "\(verb) on tables that tenants share runs once per tenant",
                    remedy: "give \(object.field.path) scope: \"workspace\""))
        }
    }
}

import Foundation
import ManifestFiles
import RunbookModel
import Testing

/// What a manifest means once it is accepted.
struct ManifestLoaderTests {
    private func accepted(_ name: String, _ environment: [String: String] = ManifestSchemaTests.environment) throws
        -> Manifest
    {
        try ManifestLoader.load(path: "\(ManifestSchemaTests.accepted)/\(name).json5", environment: environment)
            .manifest
    }

    /// Loads a manifest with one script from a folder of its own.
    private func load(
        _ text: String, script: String = "SELECT 1;\n", environment: [String: String] = [:]
    ) throws -> LoadedManifest {
        var loaded: LoadedManifest?
        try withTemporaryFolder { folder in
            try text.write(toFile: "\(folder)/muster.json5", atomically: true, encoding: .utf8)
            try script.write(toFile: "\(folder)/a.sql", atomically: true, encoding: .utf8)
            loaded = try ManifestLoader.load(path: "\(folder)/muster.json5", environment: environment)
        }
        return try #require(loaded)
    }

    private func manifest(
        ledger: String = "sqlite:l.db", tenants: String = "files: '*.db'", runbook: String = "sql: 'a.sql'",
        more: String = ""
    ) -> String {
        "{ manifest: 1, ledger: { url: '\(ledger)' }, tenants: { \(tenants) }, runbooks: [{ id: 'a', \(runbook) }], \(more) }"
    }

    // MARK: - Values

    @Test func defaultsAreThePromisedOnes() throws {
        let manifest = try accepted("minimal")
        #expect(manifest.workspace == "default")
        #expect(manifest.phases == ["pre-deploy", "post-deploy"])
        #expect(manifest.concurrency == Concurrency(tenants: 8, perServer: 16))
        #expect(manifest.ledger.schema == "muster")
        #expect(manifest.ledger.retention == .seconds(90 * 86_400))
        #expect(manifest.ledger.url.revealed == "sqlite:\(ManifestSchemaTests.accepted)/ledger.db")
        let runbook = try #require(manifest.runbooks.first)
        #expect(runbook.identity == Identity(runbook: "a", key: "1"))
        #expect(runbook.phase == "pre-deploy")
        #expect(runbook.limits == RunbookLimits())
        #expect(runbook.transaction)
        #expect(!runbook.repeatable)
        #expect(runbook.scope == .tenant)
        #expect(runbook.onChange == .fail)
        #expect(runbook.line == 5)
    }

    @Test func everyFieldArrives() throws {
        let manifest = try accepted("everything-postgres")
        #expect(manifest.workspace == "eu-1")
        #expect(manifest.ledger.directURL?.revealed == "postgres://deploy@db.example/app")
        #expect(manifest.ledger.pooler == .transaction)
        #expect(manifest.ledger.retention == .seconds(30 * 86_400))
        guard case .query(let query, let url) = manifest.tenants.source else {
            Issue.record("no query")
            return
        }
        #expect(query.hasPrefix("SELECT slug AS id"))
        #expect(url?.revealed == "postgres://reader@db.example/registry")
        #expect(manifest.tenants.target.url?.revealed == "postgres://deploy@pooler.example:6432/{database}")
        #expect(manifest.tenants.target.directURL?.revealed == "postgres://deploy@db.example/{database}")
        #expect(manifest.tenants.target.schema == "{schema}")
        #expect(manifest.tenants.target.role == "app_{plan}")
        #expect(manifest.tenants.target.pooler == .session)
        #expect(manifest.tenants.searchPath == ["{schema}", "extensions"])
        #expect(manifest.tenants.settings == ["app.tenant_id": "{id}", "app.plan.name": "plan {plan}"])
        #expect(manifest.tenants.expect == TenantExpectation(min: 1, shrink: .share(0.1)))
        #expect(manifest.concurrency == Concurrency(tenants: 1, perServer: 32))
        #expect(manifest.phases == ["build", "deploy", "clean-up"])
        #expect(manifest.rollout.limits == StopLimits(maxFailures: .share(0.02), sameError: 20))
        let waves = manifest.rollout.waves
        #expect(waves.map(\.name) == ["canary", "early", "everyone"])
        #expect(waves[0].match == ["plan": ["internal"], "id": ["us"]])
        #expect(waves[0].limit == 3)
        #expect(waves[0].concurrency == 2)
        #expect(waves[0].limits == StopLimits(maxFailures: .count(0), sameError: 1))
        #expect(waves[0].pause == .seconds(600))
        guard case .exec(let gate)? = waves[0].gate, case .sql(let script)? = waves[1].gate else {
            Issue.record("no gates")
            return
        }
        #expect(gate.arguments.last == "wave")
        #expect(gate.timeout == .seconds(30))
        #expect(script.statements.count == 1)
        #expect(waves[1].share == .share(0.1))
        #expect(waves[2].takesAll)

        // By phase, then after, then position.
        #expect(
            manifest.runbooks.map(\.id) == ["first", "second", "announce", "backfill", "fixed", "from-path", "last"])
        let runbooks = Dictionary(uniqueKeysWithValues: manifest.runbooks.map { ($0.id, $0) })
        let last = try #require(runbooks["last"])
        #expect(last.key == "2024-05-01")
        #expect(last.title == "The last one")
        #expect(last.after == ["first", "second"])
        #expect(last.match == ["plan": ["pro", "internal"], "region": ["eu"]])
        #expect(last.barrier)
        #expect(last.onChange == .rerun)
        #expect(last.verify?.statements.count == 1)
        #expect(
            last.limits
                == RunbookLimits(
                    lockWait: .seconds(600), lockTimeout: nil, statementTimeout: .milliseconds(1), runbookTimeout: nil,
                    retries: 100))
        let second = try #require(runbooks["second"])
        #expect(!second.transaction)
        #expect(second.repeatable)
        #expect(
            second.limits
                == RunbookLimits(
                    lockWait: .zero, lockTimeout: .milliseconds(250), statementTimeout: nil,
                    runbookTimeout: .seconds(5400), retries: 0))
        #expect(runbooks["first"]?.scope == .workspace)
        guard case .exec(let hook) = try #require(runbooks["announce"]).action else {
            Issue.record("no exec")
            return
        }
        let program = "\(ManifestSchemaTests.accepted)/../Broken/hooks/announce"
        #expect(hook == HookCommand(arguments: [program, "--quiet", ""], timeout: .seconds(30), dryRun: true))
        #expect(runbooks["announce"]?.transaction == false)
        let work = try #require(runbooks["backfill"]?.batch)
        #expect(work.script.path == "../Broken/sql/batch-keyset.sql")
        #expect(work.parameters == [.cursor, .limit])
        #expect(work.size == 500)
        #expect(work.target == .milliseconds(100))
        #expect(work.pause == .milliseconds(10))
        #expect(work.maxLag == .seconds(10))
        #expect(work.throttle?.path == "../Broken/sql/verify.sql")
        #expect(runbooks["backfill"]?.preflight?.path == "../Broken/sql/verify.sql")
        #expect(runbooks["backfill"]?.checksum == work.script.checksum)
        #expect(runbooks["backfill"]?.transaction == false)
        let fixed = try #require(runbooks["fixed"]?.batch)
        #expect(fixed.size == 1000)
        #expect(fixed.target == nil)
        guard case .exec(let bare) = try #require(runbooks["from-path"]).action else {
            Issue.record("no exec")
            return
        }
        #expect(bare == HookCommand(arguments: ["true"], timeout: .seconds(5400)))
    }

    @Test func whatIsForFilesArrives() throws {
        let manifest = try accepted("everything-sqlite")
        #expect(manifest.tenants.synchronous == .normal)
        #expect(manifest.fuse)
        #expect(try accepted("minimal").tenants.synchronous == .full)
    }

    @Test func tenantsOfAListKeepTheirOrderAndLabels() throws {
        guard case .list(let tenants) = try accepted("everything-sqlite").tenants.source else {
            Issue.record("no list")
            return
        }
        #expect(
            tenants == [
                Tenant(id: "acme"),
                Tenant(
                    id: "globex \"quoted\"; DROP", labels: ["plan": "pro", "seats": "12", "active": "true", "note": ""]),
            ])
    }

    @Test func variablesStandForTextNumbersAndTruth() throws {
        let manifest = try accepted("variables")
        #expect(manifest.concurrency.tenants == 8)
        #expect(manifest.runbooks[0].limits.retries == 8)
        #expect(manifest.runbooks[0].barrier)
        #expect(manifest.ledger.directURL == nil)
        #expect(manifest.ledger.pooler == nil)
        guard case .command(let command) = manifest.tenants.source else {
            Issue.record("no command")
            return
        }
        #expect(command == ["printf", "{\"id\":\"${a}\"}"])
    }

    @Test func theEnvironmentStandsInForTheLedgersAddresses() throws {
        let text = "{ manifest: 1, tenants: { list: [] }, runbooks: [] }"
        let environment = ["DATABASE_URL": "postgres://pooler/app", "DIRECT_URL": "postgres://db/app"]
        let ledger = try load(text, environment: environment).manifest.ledger
        #expect(ledger.url.revealed == "postgres://pooler/app")
        #expect(ledger.directURL?.revealed == "postgres://db/app")
        // A SQLite ledger has no use for DIRECT_URL.
        #expect(try load(manifest(), environment: environment).manifest.ledger.directURL == nil)
    }

    /// A folder's own name is neither a template nor an escape in the addresses that are made of it.
    @Test func relativeFilesStartAtTheManifest() throws {
        try withTemporaryFolder { folder in
            let odd = "\(folder)/50% {off} ?"
            try FileManager.default.createDirectory(atPath: odd, withIntermediateDirectories: true)
            let text = manifest(tenants: "list: ['a'], target: { url: 'sqlite:./t/{id}.db' }")
            try text.write(toFile: "\(odd)/muster.json5", atomically: true, encoding: .utf8)
            try "SELECT 1".write(toFile: "\(odd)/a.sql", atomically: true, encoding: .utf8)
            let manifest = try ManifestLoader.load(path: "\(odd)/muster.json5", environment: [:]).manifest
            let target = try #require(manifest.tenants.target.url).revealed
            #expect(try ColumnTemplate(target).columns == ["id"])
            let filled = try ColumnTemplate(target).filled { $0 }
            #expect(filled.dropFirst("sqlite:".count).removingPercentEncoding == "\(odd)/t/id.db")
        }
    }

    // MARK: - Dialects

    @Test(arguments: [
        ("sqlite:l.db", "files: '*.db'", false), ("postgres:///l", "files: '*.db'", false),
        ("postgres:///l", "list: ['a']", true),
        ("sqlite:l.db", "list: ['a'], target: { url: 'postgres:///{id}' }", true),
        ("postgres:///l", "list: ['a'], target: { url: 'sqlite:{id}.db' }", false),
        ("postgres:///l", "list: [{ id: 'a', url: 'sqlite:a.db' }]", false),
        ("sqlite:l.db", "list: [{ id: 'a', url: 'postgres:///a' }], target: { url: '{url}' }", true),
    ])
    func scriptsAreReadByTheTenantsEngine(ledger: String, tenants: String, isPostgres: Bool) throws {
        // VACUUM FULL is refused for PostgreSQL; `[` quotes a name in SQLite alone.
        let script = "SELECT 1 AS [it's];\n"
        let text = manifest(ledger: ledger, tenants: tenants)
        if isPostgres {
            #expect(throws: ManifestError.self) { try load(text, script: script) }
        } else {
            #expect(try load(text, script: script).manifest.runbooks.count == 1)
        }
    }

    @Test func workspaceScopeIsReadByTheLedgersEngine() throws {
        let script = "SELECT 1 AS [it's];\n"
        let workspace = "scope: 'workspace', sql: 'a.sql'"
        #expect(throws: ManifestError.self) {
            try load(manifest(ledger: "postgres:///l", runbook: workspace), script: script)
        }
        #expect(try load(manifest(runbook: workspace), script: script).manifest.runbooks.count == 1)
    }

    // MARK: - Secrets

    @Test func whatCameFromTheEnvironmentIsASecretUnlessItIsAWholeNumber() throws {
        let text = manifest(
            ledger: "${URL}",
            tenants: "list: ['a'], settings: { 'app.token': '${TOKEN}', 'app.n': '${N}', 'app.d': '${D:-plain}' }")
        let environment = [
            "URL": "postgres://app:p%40ss@db/app?password=other", "TOKEN": "t0ken", "N": "42", "UNUSED": "x",
        ]
        let manifest = try load(text, environment: environment).manifest
        let secrets = Set(manifest.source.secrets.map(\.revealed))
        #expect(secrets == ["postgres://app:p%40ss@db/app?password=other", "p%40ss", "p@ss", "other", "t0ken"])
        // Longer ones first: a masked whole leaves no part of itself.
        #expect(manifest.source.secrets.first?.revealed == environment["URL"])
        #expect(manifest.source.text == text)
        #expect(manifest.tenants.settings["app.token"] == "t0ken")
    }

    @Test func aPasswordInTheManifestIsWarnedOfAndNotStored() throws {
        let loaded = try load(manifest(ledger: "postgres://app:hunter2@db/app", tenants: "list: ['hunter2']"))
        #expect(loaded.manifest.ledger.url.revealed == "postgres://app:hunter2@db/app")
        #expect(loaded.manifest.source.text.contains("postgres://app:****@db/app"))
        #expect(loaded.manifest.source.text.contains("list: ['hunter2']"))
        #expect(loaded.manifest.source.secrets.map(\.revealed) == ["hunter2"])
        #expect(loaded.warnings.map(\.message) == ["a password stands in the manifest"])
        let escaped = try load(manifest(ledger: "postgres://app:hunter\\u0032@db/app", tenants: "list: ['a']"))
        #expect(!escaped.manifest.source.text.contains("hunter"))
    }

    // MARK: - Batches

    @Test func aBatchHasPromisedDefaultsAndItsStatementsChecksum() throws {
        let script = "delete from t where id in (select id from t limit :limit)"
        let work = try #require(
            try load(manifest(runbook: "batch: { sql: 'a.sql' }"), script: script).manifest.runbooks[0].batch)
        #expect(work.size == 1000)
        #expect(work.target == .milliseconds(250))
        #expect(work.pause == .zero)
        let slower = try load(
            manifest(runbook: "batch: { sql: 'a.sql', size: 5, pause: '1s' }"), script: script
        ).manifest.runbooks[0]
        #expect(slower.checksum == work.script.checksum)
    }

    // MARK: - Checksums

    @Test func aScriptsChecksumIsItsFilesWithoutMarkAndWindowsLines() throws {
        let unix = try load(manifest(), script: "SELECT 1;\nSELECT 2;\n").manifest
        let windows = try load(manifest(), script: "\u{FEFF}SELECT 1;\r\nSELECT 2;\r\n").manifest
        #expect(unix.runbooks[0].checksum == Checksum.of("SELECT 1;\nSELECT 2;\n"))
        #expect(windows.runbooks[0].checksum == unix.runbooks[0].checksum)
        #expect(windows.source.digest == unix.source.digest)
        #expect(try load(manifest(), script: "SELECT 3;\n").manifest.source.digest != unix.source.digest)
    }

    /// The digest is the same for every environment, so that runners with different ones join the same run.
    @Test func theDigestIsTakenBeforeExpansion() throws {
        let text = manifest(ledger: "sqlite:${DB:-l.db}")
        let one = try load(text).manifest
        let other = try load(text, environment: ["DB": "other.db"]).manifest
        #expect(one.source.digest == other.source.digest)
        #expect(one.ledger.url != other.ledger.url)
        #expect(try load(text + "\n").manifest.source.digest != one.source.digest)
    }

    @Test func aProgramsChecksumCoversItsFileAndArguments() throws {
        try withTemporaryFolder { folder in
            func checksum(_ exec: String, _ program: String) throws -> (String, String) {
                let text = manifest(runbook: "exec: \(exec)")
                try text.write(toFile: "\(folder)/muster.json5", atomically: true, encoding: .utf8)
                try program.write(toFile: "\(folder)/hook", atomically: true, encoding: .utf8)
                try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(folder)/hook")
                let loaded = try ManifestLoader.load(path: "\(folder)/muster.json5", environment: ["TOKEN": "a"])
                return (loaded.manifest.runbooks[0].checksum, loaded.manifest.source.digest)
            }
            let first = try checksum("['./hook', '${TOKEN}']", "#!/bin/sh\n")
            let changed = try checksum("['./hook', '${TOKEN}']", "#!/bin/sh\nexit 1\n")
            let argument = try checksum("['./hook', '-v']", "#!/bin/sh\n")
            let bare = try checksum("['hook', '${TOKEN}']", "#!/bin/sh\n")
            #expect(Set([first.0, changed.0, argument.0, bare.0]).count == 4)
            #expect(first.1 != changed.1)
            // The checksum is the same whatever the variable holds.
            #expect(try checksum("['./hook', '${TOKEN}']", "#!/bin/sh\n") == first)
        }
    }

    // MARK: - Warnings

    @Test func definitionsOfSharedTablesAreWarnedOf() throws {
        let script = "CREATE TEMP TABLE t (id int);\n\nALTER TABLE findings ADD state text;\n"
        let shared = "query: 'SELECT id FROM customers', search_path: ['public'], settings: { 'app.tenant_id': '{id}' }"
        let loaded = try load(manifest(ledger: "postgres:///l", tenants: shared), script: script)
        #expect(
            loaded.warnings.map(\.description) == [
                """
                a.sql:3: ALTER on tables that tenants share runs once per tenant; \
                give runbooks[0] scope: "workspace"
                """
            ])
        for (tenants, runbook) in [
            (shared, "scope: 'workspace', sql: 'a.sql'"),
            (shared + ", target: { schema: '{id}' }", "sql: 'a.sql'"),
            ("query: 'SELECT id, schema FROM customers', settings: { 'app.t': '{id}' }", "sql: 'a.sql'"),
        ] {
            let text = manifest(ledger: "postgres:///l", tenants: tenants, runbook: runbook)
            #expect(try load(text, script: script).warnings == [])
        }
    }

    @Test func whatSaysNothingIsWarnedOf() throws {
        let isolation = manifest(ledger: "postgres:///l", tenants: "list: ['a'], isolation: 'script'")
        #expect(try load(isolation).warnings.map(\.path) == ["tenants.isolation"])
        let repeatable = manifest(runbook: "sql: 'a.sql', repeatable: true")
        #expect(try load(repeatable).warnings.map(\.path) == ["runbooks[0].repeatable"])
        let label = manifest(
            tenants: "list: [{ id: 'a', plan: 'pro', url: 'sqlite:a.db' }]",
            runbook: "match: { plna: 'pro' }, sql: 'a.sql'")
        #expect(
            try load(label).warnings.map(\.description.suffixAfterFile) == [
                "runbooks[0].match.plna: no tenant has the label \"plna\", so none will match; did you mean \"plan\"?"
            ])
    }

    // MARK: - Hostile files

    /// A pipe or a device instead of a file is refused and not waited for.
    @Test(arguments: ["/dev/zero", "/dev/stdin", "/proc/self/fd"])
    func onlyFilesAreRead(path: String) {
        #expect(throws: ManifestError.self) { try load(manifest(runbook: "sql: '\(path)'")) }
        #expect(throws: ManifestError.self) { try ManifestLoader.load(path: path, environment: [:]) }
    }

    @Test func aByteOrderMarkIsNoError() throws {
        let loaded = try load("\u{FEFF}" + manifest().replacing(",", with: ",\r\n"))
        #expect(loaded.manifest.source.text == manifest().replacing(",", with: ",\n"))
    }

    /// A very wide manifest is read in time that grows with its length.
    @Test func aWideManifestIsReadSoon() throws {
        let tenants = (0..<20_000).map { "'tenant \($0)'" }.joined(separator: ", ")
        let loaded = try load(manifest(ledger: "postgres:///l", tenants: "list: [\(tenants)]"))
        guard case .list(let list) = loaded.manifest.tenants.source else {
            Issue.record("no list")
            return
        }
        #expect(list.count == 20_000)
    }
}

extension String {
    /// A diagnostic without `file:line: `.
    fileprivate var suffixAfterFile: String { String(split(separator: ": ", maxSplits: 1).last ?? "") }
}

package import FoundationEssentials

/// How a run ended: one shape for success and failure. Encodes as `muster.report/1`.
package struct Report: Sendable, Codable {
    package var schema = "muster.report/1"
    package var command: String
    package var ok: Bool
    package var exitCode: Int
    package var outcome: RunOutcome
    package var nothingToDo: Bool
    package var retryable: Bool
    package var workspace: String?
    package var phase: String?
    package var run: RunFacts?
    package var counts: JobCounts
    package var runbooks: [RunbookSummary]
    package var failures: [Failure]
    package var causes: [Cause]
    /// The hooks around the run and how they ended, and those around tenants that failed.
    package var hooks: [HookReport]
    /// Things a reader should know that are no failure: zero tenants, tenants seen for the first time.
    package var notices: [String]
    /// Identities that the manifest of the last run listed and this one does not, as `runbook@key`.
    package var unlisted: [String] = []
    /// What went wrong outside any tenant (a refused manifest, an unreachable ledger); null otherwise.
    package var error: ReportError?
    /// The command that continues.
    package var next: String?
    package var startedAt: Date
    package var finishedAt: Date
    package var durationMS: Int

    package init(
        command: String, ok: Bool, exitCode: Int, outcome: RunOutcome, nothingToDo: Bool = false,
        retryable: Bool = false, workspace: String? = nil, phase: String? = nil, run: RunFacts? = nil,
        counts: JobCounts = JobCounts(), runbooks: [RunbookSummary] = [], failures: [Failure] = [],
        causes: [Cause] = [], hooks: [HookReport] = [], notices: [String] = [], error: ReportError? = nil,
        next: String? = nil, startedAt: Date,
        finishedAt: Date, durationMS: Int
    ) {
        self.command = command
        self.ok = ok
        self.exitCode = exitCode
        self.outcome = outcome
        self.nothingToDo = nothingToDo
        self.retryable = retryable
        self.workspace = workspace
        self.phase = phase
        self.run = run
        self.counts = counts
        self.runbooks = runbooks
        self.failures = failures
        self.causes = causes
        self.hooks = hooks
        self.notices = notices
        self.error = error
        self.next = next
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.durationMS = durationMS
    }

    package struct RunFacts: Sendable, Codable {
        package var id: String
        package var identity: String
        package var release: String?
        package var joined: Bool
        package var initiator: Initiator
        /// What stopped the run before its end, in words; null when nothing did.
        package var stopReason: String?
        package var kind: RunKind
        /// Of a rollback of what one run has done: that run.
        package var undoes: String?

        package init(
            id: String, identity: String, release: String?, joined: Bool, initiator: Initiator,
            stopReason: String? = nil, kind: RunKind = .apply, undoes: String? = nil
        ) {
            self.id = id
            self.identity = identity
            self.release = release
            self.joined = joined
            self.initiator = initiator
            self.stopReason = stopReason
            self.kind = kind
            self.undoes = undoes
        }
    }

    package struct RunbookSummary: Sendable, Codable {
        package var id: String
        package var key: String
        package var checksum: String
        package var counts: JobCounts
        package var rowsAffected: Int
        package var durationMS: Int

        package init(
            id: String, key: String, checksum: String, counts: JobCounts = JobCounts(), rowsAffected: Int = 0,
            durationMS: Int = 0
        ) {
            self.id = id
            self.key = key
            self.checksum = checksum
            self.counts = counts
            self.rowsAffected = rowsAffected
            self.durationMS = durationMS
        }
    }
}

/// Who started a run, and from where.
package struct Initiator: Sendable, Codable, Hashable {
    /// `ci`, `user`, later `operator`.
    package var kind: String
    package var name: String
    package var url: String?

    package init(kind: String, name: String, url: String? = nil) {
        self.kind = kind
        self.name = name
        self.url = url
    }
}

/// An error outside any tenant, for machines.
package struct ReportError: Sendable, Codable {
    /// A closed word: `manifest`, `drift`, `tenants`, `unreachable`, `ledger`, `usage`, `internal`, …
    package var code: String
    package var message: String

    package init(code: String, message: String) {
        self.code = code
        self.message = message
    }
}

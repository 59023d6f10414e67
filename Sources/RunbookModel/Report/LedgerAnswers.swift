package import FoundationEssentials

/// `muster check`: encodes as `muster.check/1`.
package struct CheckReport: Sendable, Codable {
    package var schema = "muster.check/1"
    package var command = "check"
    package var ok: Bool
    package var exitCode: Int
    package var workspace: String?
    package var identities: [CheckedIdentity]
    package var error: ReportError?

    package init(
        ok: Bool, exitCode: Int, workspace: String? = nil, identities: [CheckedIdentity] = [],
        error: ReportError? = nil
    ) {
        self.ok = ok
        self.exitCode = exitCode
        self.workspace = workspace
        self.identities = identities
        self.error = error
    }

    package struct CheckedIdentity: Sendable, Codable {
        package var runbook: String
        package var key: String
        package var asked: Int
        package var done: Int
        package var unknown: Int
        package var drifted: Int
        /// The first tenants where it is not done.
        package var missing: [String]

        package init(
            runbook: String, key: String, asked: Int, done: Int, unknown: Int, drifted: Int, missing: [String]
        ) {
            self.runbook = runbook
            self.key = key
            self.asked = asked
            self.done = done
            self.unknown = unknown
            self.drifted = drifted
            self.missing = missing
        }
    }
}

/// `muster runs`: encodes as `muster.runs/1`.
package struct RunList: Sendable, Codable {
    package var schema = "muster.runs/1"
    package var command = "runs"
    package var ok = true
    package var exitCode = 0
    package var runs: [RunRecord]
    /// What went wrong; null when all went well.
    package var error: ReportError?

    package init(runs: [RunRecord]) { self.runs = runs }
}

/// `muster show RUN`: encodes as `muster.run/1`.
package struct RunDetail: Sendable, Codable {
    package var schema = "muster.run/1"
    package var command = "show"
    package var ok = true
    package var exitCode = 0
    package var run: RunRecord
    package var runbooks: [Report.RunbookSummary]
    package var failures: [Failure]
    /// The hooks around the run, and those around its tenants that failed.
    package var hooks: [HookReport]
    /// The manifest before expansion, as it ran.
    package var manifest: String?
    /// What went wrong; null when all went well.
    package var error: ReportError?

    package init(
        run: RunRecord, runbooks: [Report.RunbookSummary], failures: [Failure], hooks: [HookReport] = [],
        manifest: String?
    ) {
        self.run = run
        self.runbooks = runbooks
        self.failures = failures
        self.hooks = hooks
        self.manifest = manifest
    }
}

/// `muster tenants`: encodes as `muster.tenants/1`.
package struct TenantList: Sendable, Codable {
    package var schema = "muster.tenants/1"
    package var command = "tenants"
    package var ok = true
    package var exitCode = 0
    package var workspace: String
    package var tenants: [Entry]
    package var notices: [String]
    /// What went wrong; null when all went well.
    package var error: ReportError?

    package init(workspace: String, tenants: [Entry], notices: [String] = []) {
        self.workspace = workspace
        self.tenants = tenants
        self.notices = notices
    }

    package struct Entry: Sendable, Codable {
        package var id: String
        /// Masked: what its scripts run against.
        package var target: String
        package var schema: String?
        package var labels: [String: String]

        package init(id: String, target: String, schema: String?, labels: [String: String]) {
            self.id = id
            self.target = target
            self.schema = schema
            self.labels = labels
        }
    }
}

/// `muster locks list`: encodes as `muster.locks/1`.
package struct LockList: Sendable, Codable {
    package var schema = "muster.locks/1"
    package var command = "locks list"
    package var ok = true
    package var exitCode = 0
    package var locks: [Holder]
    /// What went wrong; null when all went well.
    package var error: ReportError?

    package init(locks: [Holder]) { self.locks = locks }

    package struct Holder: Sendable, Codable {
        /// null for the workspace's own keys.
        package var tenant: String?
        /// `tenant`, `workspace` or `gate`.
        package var level: String
        package var mode: String
        package var database: String
        package var pid: Int?
        package var application: String?
        package var client: String?
        package var since: Date?

        package init(
            tenant: String?, level: String, mode: String, database: String, pid: Int?, application: String?,
            client: String?, since: Date?
        ) {
            self.tenant = tenant
            self.level = level
            self.mode = mode
            self.database = database
            self.pid = pid
            self.application = application
            self.client = client
            self.since = since
        }
    }
}

/// `muster locks key TENANT`: encodes as `muster.lock_key/1`.
package struct LockKeyReport: Sendable, Codable {
    package var schema = "muster.lock_key/1"
    package var command = "locks key"
    package var ok = true
    package var exitCode = 0
    package var tenant: String
    package var key: Int64
    package var workspaceKey: Int64
    package var database: String
    /// What went wrong; null when all went well.
    package var error: ReportError?

    package init(tenant: String, key: Int64, workspaceKey: Int64, database: String) {
        self.tenant = tenant
        self.key = key
        self.workspaceKey = workspaceKey
        self.database = database
    }
}

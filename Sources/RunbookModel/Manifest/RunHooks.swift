/// Programs around a run and around each of its tenants.
package struct RunHooks: Sendable, Hashable {
    private var commands: [RunHook: HookCommand]
    /// How often one that says "try again" is started again.
    package var retries: Int

    package init(_ commands: [RunHook: HookCommand] = [:], retries: Int = 3) {
        self.commands = commands
        self.retries = retries
    }

    package subscript(hook: RunHook) -> HookCommand? {
        get { commands[hook] }
        set { commands[hook] = newValue }
    }

    package var isEmpty: Bool { commands.isEmpty }

    /// Whether anything is to be started once the run is complete.
    package var hasFinal: Bool { RunHook.final.contains { commands[$0] != nil } }

    /// Whether anything is to be started around tenants.
    package var surroundTenants: Bool { commands[.beforeTenant] != nil || commands[.afterTenant] != nil }

    /// Those that are declared, in the order in which a run comes to them.
    package var declared: [RunHook] { RunHook.allCases.filter { commands[$0] != nil } }
}

/// When a program around a run is started.
package enum RunHook: String, Sendable, Codable, Hashable, CaseIterable {
    case beforeRun = "before_run"
    case beforeTenant = "before_tenant"
    case afterTenant = "after_tenant"
    case onFailure = "on_failure"
    case afterRun = "after_run"

    /// What comes behind the end of a run, in this order.
    package static let final: [RunHook] = [.onFailure, .afterRun]

    /// Whether it is started for each tenant.
    package var isOfTenant: Bool { self == .beforeTenant || self == .afterTenant }
}

/// All commands, in the order of help.
enum CommandCatalogue {
    static let commands: [any Command.Type] = [
        ValidateCommand.self, PlanCommand.self, RehearseCommand.self, ApplyCommand.self, StatusCommand.self,
        CheckCommand.self,
        RunsCommand.self, ShowCommand.self, CancelCommand.self, RetryCommand.self, ResolveCommand.self,
        LedgerListCommand.self, LedgerExportCommand.self, LedgerBaselineCommand.self, LedgerRepairCommand.self,
        TenantsCommand.self,
        LocksListCommand.self, LocksKeyCommand.self,
        SchemaCommand.self, InitCommand.self, CompletionsCommand.self, VersionCommand.self,
    ]

    static let definitions = commands.map { $0.definition }

    /// Of the contract, and not built yet.
    static let unsupported = [
        "rollback", "doctor", "console",
    ]
}

import RunbookModel

extension ManifestDecoder {
    /// Programs around the run and its tenants; an empty list is none.
    func hooks(_ field: ManifestField?, _ context: RunbookContext) -> RunHooks {
        var hooks = RunHooks(retries: context.limits.retries)
        guard let object = field?.object(keys: RunHook.allCases.map(\.rawValue)) else { return hooks }
        for hook in RunHook.allCases {
            guard let field = object[hook.rawValue] else { continue }
            hooks[hook] = self.hook(field, context)
        }
        return hooks
    }

    private func hook(_ field: ManifestField, _ context: RunbookContext) -> HookCommand? {
        let usual = context.limits.runbookTimeout ?? .seconds(3600)
        switch field.node.value {
        case .array(let elements):
            guard let first = elements.first else { return nil }
            if case .array = first.value {
                field.report("is a list of programs", remedy: "write one; it can call the others")
                return nil
            }
            return command(field).map { HookCommand(arguments: $0.arguments, timeout: usual) }
        case .object:
            guard let object = field.object(keys: ["exec", "timeout", "dry_run"]),
                let exec = object.required("exec", remedy: "write the program and its arguments")
            else { return nil }
            let timeout = object["timeout"]?.duration(in: Self.timeLimits)
            let dryRun = object["dry_run"]?.boolean() ?? false
            return command(exec).map {
                HookCommand(arguments: $0.arguments, timeout: timeout ?? usual, dryRun: dryRun)
            }
        default:
            field.mismatch("a list of texts, or an object with exec", remedy: "put it in [ ]")
            return nil
        }
    }
}

import RunbookModel

extension ManifestDecoder {
    private static let stopKeys = ["max_failures", "same_error"]

    private static let waveKeys =
        ["name", "match", "limit", "share", "concurrency", "pause", "gate"] + stopKeys

    func rollout(_ field: ManifestField?, _ context: RunbookContext) -> Rollout {
        guard let object = field?.object(keys: Self.stopKeys + ["waves"]) else { return Rollout() }
        return Rollout(limits: stopLimits(object), waves: object["waves"].map { waves($0, context) } ?? [])
    }

    private func stopLimits(_ object: ManifestObject) -> StopLimits {
        StopLimits(
            maxFailures: object["max_failures"]?.allowance(),
            sameError: object["same_error"]?.integer(in: 1...Int(Int32.max)))
    }

    private func waves(_ field: ManifestField, _ context: RunbookContext) -> [Wave] {
        let fields = field.list() ?? []
        var names: Set<String> = []
        var waves: [Wave] = []
        for (position, field) in fields.enumerated() {
            guard let object = field.object(keys: Self.waveKeys) else { continue }
            let isLast = position == fields.count - 1
            guard let wave = wave(object, isLast: isLast, context) else { continue }
            if !names.insert(wave.name).inserted { object["name"]?.report("the wave \(wave.name) is here twice") }
            waves.append(wave)
        }
        return waves
    }

    private func wave(_ object: ManifestObject, isLast: Bool, _ context: RunbookContext) -> Wave? {
        let name = object.required("name")
        var wave = Wave(name: name?.name(.runbook) ?? "")
        wave.match = object["match"].map { labels($0, context) } ?? [:]
        wave.limit = object["limit"]?.integer(in: 1...Int(Int32.max))
        wave.share = object["share"].flatMap { share($0) }
        wave.concurrency = object["concurrency"]?.integer(in: 1...1024)
        wave.limits = stopLimits(object)
        wave.pause = object["pause"]?.duration(in: .zero...(.seconds(86_400) * 24)) ?? .zero
        wave.gate = object["gate"].flatMap { gate($0, context) }
        let takesAll = ["match", "limit", "share"].allSatisfy { !object.names.contains($0) }
        if takesAll, !isLast {
            object.field.report(
                "takes every tenant, and leaves none to the waves behind it",
                remedy: "give it match, limit or share, or put it last")
        }
        if takesAll, isLast {
            object.refuse(["pause", "gate"], "nothing comes after the last wave", remedy: "leave it out")
        }
        if !takesAll, wave.name == Rollout.rest {
            name?.report(
                "\"\(Rollout.rest)\" is the wave of the tenants that no other takes", remedy: "give it another name")
        }
        return wave.name.isEmpty ? nil : wave
    }

    private func share(_ field: ManifestField) -> Allowance? {
        guard case .string = field.node.value else {
            field.mismatch("a share", remedy: "write it as in \"10%\"; for a number of tenants write limit")
            return nil
        }
        guard let share = field.allowance() else { return nil }
        if share.limit(of: 100) == 0 {
            field.report("\(field.shown) takes nobody", remedy: "write at least \"1%\"")
            return nil
        }
        return share
    }

    private func gate(_ field: ManifestField, _ context: RunbookContext) -> WaveGate? {
        guard let object = field.object(keys: ["sql", "exec", "timeout"]) else { return nil }
        if let exec = object["exec"] {
            object.refuse(["sql"], "stands beside exec", remedy: "a gate asks one thing")
            let timeout = object["timeout"]?.duration(in: Self.timeLimits)
            return command(exec).map {
                .exec(
                    HookCommand(
                        arguments: $0.arguments, timeout: timeout ?? context.limits.runbookTimeout ?? .seconds(3600)))
            }
        }
        object.refuse(["timeout"], "is for exec", remedy: "leave it out")
        guard let sql = object["sql"] else {
            field.report("asks nothing", remedy: "give it sql or exec")
            return nil
        }
        return query(sql, dialect: context.ledgerDialect).map(WaveGate.sql)
    }
}

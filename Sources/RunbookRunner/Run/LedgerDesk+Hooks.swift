import DatabaseAccess
import FoundationEssentials
import LedgerStore
import RunbookModel

/// Hooks around the run and its tenants: who starts them, and what becomes of the run.
extension LedgerDesk {
    /// - Parameters:
    ///   - host: this machine, where groups of processes can be ended.
    ///   - release: for the hooks to know.
    func surround(by hooks: RunHooks, host: String, release: String?) {
        self.hooks = hooks
        self.host = host
        self.release = release
        isOpening = hooks[.beforeRun] != nil
    }

    // MARK: Before the run

    /// The run's `before_run`, when this runner is to start it; nil while others do, and when nothing stands in the way.
    func openRun() -> HookOrder? {
        guard let command = hooks[.beforeRun], !isStartingHook, ContinuousClock.now >= nextHookTry else { return nil }
        nextHookTry = .now + .milliseconds(250)
        do throws(DatabaseError) {
            switch try take(.beforeRun, command) {
            case .begun(let start):
                isStartingHook = true
                return HookOrder(start: start, command: command, occasion: occasion(.beforeRun))
            case .ended(let record):
                isOpening = false
                isOver = record.state != .succeeded
                wake()
            case .elsewhere: try giveUpWaiting(for: .beforeRun)
            case .unseen: break
            }
        } catch { fail(error) }
        return nil
    }

    /// What a runner that is gone has left is out of reach: that is waited for as long as for a lock.
    private func giveUpWaiting(for hook: RunHook) throws(DatabaseError) {
        if let run { try buryTheDead(of: run.id) }
        guard isOutOfReach else {
            outOfReachSince = nil
            return
        }
        let since = outOfReachSince ?? .now
        outOfReachSince = since
        guard ContinuousClock.now - since >= hookPatience else { return }
        throw DatabaseError(
            .busy,
            "\(hook.rawValue) was started by a runner that is gone, and may still be going on elsewhere until its time "
                + "limit has passed; try again then")
    }

    private var hookPatience: Duration {
        lockWait ?? fleet?.plan.runbooks.map(\.limits.lockWait).max() ?? .seconds(300)
    }

    // MARK: Around a tenant

    /// A hook around a tenant, which is this runner's to start; nil when nothing may begin any more.
    ///
    /// - Parameter outcome: of the tenant's job; nil before it.
    func order(_ hook: RunHook, for assignment: Assignment, outcome: String? = nil) async -> HookOrder? {
        guard let command = hooks[hook] else { return nil }
        while problem == nil, stop.signal == nil {
            let seen = wakes
            do throws(DatabaseError) {
                if case .begun(let start) = try take(hook, command, tenant: assignment.tenant.id) {
                    return HookOrder(
                        start: start, command: command, occasion: occasion(hook, outcome: outcome),
                        member: assignment.member)
                }
                if let run { try buryTheDead(of: run.id) }
            } catch {
                fail(error)
                return nil
            }
            await sleep(.milliseconds(250), since: seen)
        }
        return nil
    }

    /// Ends a job: at once, or behind the hook that is still to come.
    func conclude(_ assignment: Assignment, _ result: JobResult) {
        if assignment.isAttended, hooks[.afterTenant] != nil {
            closing.append((assignment, result))
        } else {
            results.append(result)
        }
    }

    // MARK: Behind the run

    /// The next hook behind the run's end that this runner is to start; waits while others do. nil: there is none, or
    /// somebody asked to stop.
    func finalHook() async -> HookOrder? {
        guard let run else { return nil }
        isFinishing = true
        while stop.signal == nil, problem == nil {
            let seen = wakes
            do throws(DatabaseError) {
                try insisting { ledger throws(DatabaseError) in try ledger.beat(runner) }
                let record = try insisting { ledger throws(DatabaseError) in try ledger.run(run.id) }
                guard let record, record.status == .completed, let outcome = record.outcome else { return nil }
                var isWaiting = false
                for hook in RunHook.final where !isWaiting && (hook != .onFailure || outcome != .succeeded) {
                    guard let command = hooks[hook] else { continue }
                    switch try take(hook, command) {
                    case .begun(let start):
                        return HookOrder(start: start, command: command, occasion: try occasion(hook, of: record))
                    case .ended: continue
                    case .elsewhere, .unseen:
                        isWaiting = true
                        try giveUpWaiting(for: hook)
                    }
                }
                if !isWaiting {
                    try insisting { ledger throws(DatabaseError) in try ledger.settleHooks(of: run.id) }
                    return nil
                }
            } catch {
                fail(error)
                return nil
            }
            await sleep(.milliseconds(250), since: seen)
        }
        return nil
    }

    /// Turns to a complete run whose last hooks nobody has seen through.
    func attend(to earlier: String, runner: String) throws(ServiceError) {
        try asking { ledger throws(DatabaseError) in
            let key = try takeKey(of: runner)
            try ledger.addRunner(
                runner, run: earlier, host: host, pid: Int(ProcessInfo.processInfo.processIdentifier), lockKey: key)
        }
        run = StartedRun(id: earlier, joined: true)
        self.runner = runner
    }

    /// Says goodbye to the run, and answers how its hooks ended.
    func leave() throws(ServiceError) -> [HookReport] {
        guard let run else { return [] }
        isFinishing = false
        if let problem { throw problem }
        return try asking { ledger throws(DatabaseError) in
            try ledger.endRunner(runner, run: run.id)
            return try ledger.hooks(ofRun: run.id)
        }
    }

    /// Forgets an earlier run.
    func turnBack() {
        run = nil
        runner = ""
        isOver = false
        holdsKey = false
    }

    func runsWithDueHooks(_ identity: String) throws(ServiceError) -> [String] {
        try asking { ledger throws(DatabaseError) in try ledger.runsWithDueHooks(identity) }
    }

    // MARK: Each

    /// Keeps the process group of a hook that has just been started. Where that fails, it is looked for later.
    func note(_ group: Int32, of order: HookOrder) {
        let processStart = HookGroup.start(of: group)
        do throws(DatabaseError) {
            try insisting { ledger throws(DatabaseError) in
                try ledger.note(group: group, processStart: processStart, of: order.start, runner: runner)
            }
        } catch {}
    }

    /// Writes how a hook ended; false when that could not be written.
    func take(_ verdict: RunHookVerdict, of order: HookOrder) -> Bool {
        isStartingHook = false
        let hook = order.start.hook
        var isWritten = false
        do throws(DatabaseError) {
            var reason: String?
            if hook == .beforeRun, case .failed(_, let message, _) = verdict { reason = message }
            let isOurs = try insisting { ledger throws(DatabaseError) in
                try ledger.endHook(order.start, verdict, runner: runner, stopReason: reason)
            }
            isWritten = isOurs
            if hook == .beforeRun, isOurs {
                if case .passed = verdict { isOpening = false }
                if reason != nil { isOver = true }
            }
        } catch { fail(error) }
        if case .failed(_, let message, _) = verdict, !hook.isOfTenant { events?.send(.message(message)) }
        wake()
        return isWritten
    }

    /// Begins a hook. What a runner that is gone has left of it on this host is ended first.
    private func take(_ hook: RunHook, _ command: HookCommand, tenant: String = "") throws(DatabaseError) -> HookTaking
    {
        guard let run else { return .elsewhere }
        isOutOfReach = false
        let taking = try begin(hook, command, tenant, lost: nil)
        guard case .unseen(let previous, let attempt) = taking else { return taking }
        let start = HookStart(hook: hook, run: run.id, tenant: tenant, attempt: attempt)
        guard clear(previous, of: start) else {
            isOutOfReach = true
            return .elsewhere
        }
        events?.send(.message("\(hook.rawValue) was not seen to end; it is started again."))
        return try begin(hook, command, tenant, lost: attempt)
    }

    private func begin(
        _ hook: RunHook, _ command: HookCommand, _ tenant: String, lost: Int?
    ) throws(DatabaseError) -> HookTaking {
        guard let run else { return .elsewhere }
        let processStart = HookGroup.start(of: ProcessInfo.processInfo.processIdentifier)
        return try insisting { ledger throws(DatabaseError) in
            try ledger.takeHook(
                hook, of: run.id, tenant: tenant, runner: runner, host: host, limit: command.timeout,
                processStart: processStart, lost: lost, isRepeated: hook.isOfTenant)
        }
    }

    /// Whether nothing is left of a hook whose runner is gone; what is in reach is ended.
    private func clear(_ previous: PreviousAttempt, of start: HookStart) -> Bool {
        let key = Leftover.idempotencyKey(workspace, start.tenant, start.identity)
        if previous.processGroup == nil, previous.host == host, let space = previous.processStart {
            // Its runner had noted where its processes would be, and none of them is there.
            switch HookGroup.isInSight(space) {
            case true?: return HookGroup.find(HookGroup.Mark(run: start.run, idempotencyKey: key))?.end() ?? true
            case false?: break
            case nil: return true
            }
        }
        return Leftover(attempt: previous, host: host, idempotencyKey: key).clear()
    }

    private func occasion(_ hook: RunHook, outcome: String? = nil) -> HookOccasion {
        var occasion = HookOccasion(hook: hook, outcome: outcome)
        occasion.release = release
        return occasion
    }

    private func occasion(_ hook: RunHook, of record: RunRecord) throws(DatabaseError) -> HookOccasion {
        var occasion = HookOccasion(hook: hook, outcome: record.outcome?.rawValue)
        occasion.counts = record.counts
        occasion.stopReason = record.stopReason
        occasion.release = record.release
        if record.outcome != .succeeded {
            let failures = try insisting { ledger throws(DatabaseError) in
                try ledger.failures(ofRun: record.id, hasHooks: true)
            }
            occasion.causes = Array(CauseGrouping(failures).causes.prefix(20))
        }
        return occasion
    }
}

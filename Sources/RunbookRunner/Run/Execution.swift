import DatabaseAccess
import FoundationEssentials
import LedgerStore
import RunbookModel

/// One try of the runbooks that go together in one tenant: one, or several that make a message. Finds the way its engine
/// and its kind need.
struct Execution {
    struct Part {
        let step: TenantPlanner.Step
        let ticket: ClaimTicket
    }

    /// Never empty; several only where all are transactional.
    let parts: [Part]
    let tenant: Tenant
    let target: TenantTarget
    let context: RunContext
    let connections: WorkerConnections
    /// Its lock was busy the last time: ask for it before sending the script.
    let isPolling: Bool
    /// Something is on record of which the plan did not know.
    let claimsInFull: Bool
    /// Something in this stage needs a session: then all of it runs on the direct connection.
    let isDirect: Bool
    /// Nothing is done for the job behind it: no other step, no hook.
    let endsJob: Bool

    var step: TenantPlanner.Step { parts[0].step }
    var ticket: ClaimTicket { parts[0].ticket }
    var runbook: Runbook { step.runbook }

    func run() -> StageEnd {
        let needsSession = runbook.needsSession
        let connection: TenantConnection
        do throws(DatabaseError) {
            connection = try connections.connection(
                to: target, isDirect: isDirect, lockWait: context.lockWait(of: runbook))
            if needsSession, try connections.isShared(connection, isDirect: target.directURL != nil) {
                return StageEnd(
                    .failed(
                        runbook.failure(
                            tenant: tenant.id, "\(runbook.id) needs a session of its own, but \(PoolerCheck.finding)",
                            clean: true, hint: PoolerCheck.advice),
                        isTransient: false, output: nil, counted: false))
            }
        } catch {
            return StageEnd(unconnected(error, isServer: !target.url.revealed.hasPrefix("sqlite:")))
        }
        guard runbook.shared else { return run(on: connection) }
        return alone(on: connection) { run(on: connection) }
    }

    private func run(on connection: TenantConnection) -> StageEnd {
        let interrupter = connection.session.interrupter
        // Of a batch the limit is each single one's.
        let limit = runbook.batch == nil ? runbook.limits.runbookTimeout : nil
        var (end, expired) = TimeLimit.enforce(limit, on: interrupter) { restart in
            context.stop.interrupting(interrupter) { act(on: connection, restart) }
        }
        if expired, let last = end.scripts.last, case .interrupted = last.end {
            let runbook = parts[last.index].step.runbook
            let limit = runbook.limits.runbookTimeout.map { DurationText.text($0) } ?? ""
            end.replaceLast(
                .failed(
                    runbook.failure(tenant: tenant.id, "it took longer than runbook_timeout (\(limit))", clean: true),
                    isTransient: false, output: nil, counted: false))
        }
        return end
    }

    private func act(on connection: TenantConnection, _ restart: @escaping (Duration?) -> Void) -> StageEnd {
        switch (runbook.action, connection.session.dialect) {
        case (.sql, .postgresql) where runbook.transaction:
            let stage = PostgresStage(
                scripts: parts.compactMap(script), connection: connection, isFused: context.isFused,
                waits: !endsJob || connection.receipts?.isLocal != true)
            return stage.run(probeFirst: isPolling) { ended in
                if ended + 1 < parts.count { restart(parts[ended + 1].step.runbook.limits.runbookTimeout) }
            }
        case (.sql(let script), .postgresql):
            return StageEnd(
                PostgresAttempt(
                    runbook: runbook, target: target, ticket: ticket, connection: connection, asksFirst: step.asksVerify
                ).run { _, _ in
                    PostgresDirectScript(
                        runbook: runbook, script: script, target: target, tenant: tenant.id, connection: connection
                    ).run()
                })
        case (.batch(let work), .postgresql):
            return StageEnd(batches(work, on: connection))
        case (.exec(let command), .postgresql):
            return StageEnd(
                PostgresAttempt(
                    runbook: runbook, target: target, ticket: ticket, connection: connection, asksFirst: step.asksVerify
                ).run { hook(command, attempt: $0, connection, lockIsHeld: $1) })
        case (.sql, .sqlite) where runbook.transaction:
            return stage(in: connection.session) { ended in
                if ended + 1 < parts.count { restart(parts[ended + 1].step.runbook.limits.runbookTimeout) }
            }
        case (_, .sqlite):
            return underLedgerLock { _, lockIsHeld in StageEnd(attempt(connection, lockIsHeld)) }
        }
    }

    private func script(_ part: Part) -> PostgresScript? {
        guard case .sql(let script) = part.step.runbook.action else { return nil }
        return PostgresScript(
            runbook: part.step.runbook, script: script, target: target, ticket: part.ticket,
            claimsInFull: claimsInFull || part.step.isOnRecord)
    }

    /// Work that cannot be transactional, in or around a SQLite file.
    private func attempt(_ connection: TenantConnection, _ lockIsHeld: @escaping () -> Bool) -> ActionEnd {
        defer {
            // Temporary objects live as long as the session; the next runbook, or tenant, gets one without them.
            if (try? connection.session.hasTemporaryObjects()) != false { connection.session.close() }
        }
        if let work = runbook.batch {
            return batches(work, in: connection.session, wait: FileWait(limit: context.lockWait(of: runbook)))
        }
        return SQLiteAttempt(
            runbook: runbook, ticket: ticket, session: connection.session, asksFirst: step.asksVerify,
            wait: FileWait(limit: context.lockWait(of: runbook)), lockIsHeld: lockIsHeld
        ).run { attempt in
            switch runbook.action {
            case .exec(let command): hook(command, attempt: attempt, connection, lockIsHeld: lockIsHeld)
            case .sql(let script):
                SQLiteDirectScript(
                    runbook: runbook, script: script, target: target, tenant: tenant.id, session: connection.session
                ).run()
            case .batch:
                .failed(runbook.failure(tenant: tenant.id, "a batch is its own transaction", clean: true), output: nil)
            }
        }
    }

    private func hook(
        _ command: HookCommand, attempt: Int, _ connection: TenantConnection, lockIsHeld: @escaping () -> Bool
    ) -> WorkEnd {
        HookRun(
            runbook: runbook, command: command, tenant: tenant, target: target, ticket: ticket, context: context,
            note: { connection.note(ticket, group: $0) }
        ).run(attempt: attempt, lockIsHeld: lockIsHeld)
    }

    /// A server may come back; a file that is not there will not.
    func unconnected(_ error: DatabaseError, isServer: Bool) -> ActionEnd {
        var failure = runbook.failure(tenant: tenant.id, error.message, clean: true, hint: error.hint)
        failure.sqlstate = error.sqlState
        failure.detail = error.detail
        switch error.code {
        case .interrupted: return .interrupted
        case .busy: return .fileBusy
        case .unreachable where isServer, .connectionLost where isServer: return .unreachable(failure)
        default:
            return .failed(failure, isTransient: error.isTransient, output: nil, counted: false)
        }
    }
}

extension Runbook {
    /// Whether its work and its receipt are one transaction.
    var isTransactional: Bool {
        if case .sql = action { transaction } else { false }
    }

    /// Whether locks must be held that outlive a transaction.
    var needsSession: Bool { !isTransactional || shared }
}

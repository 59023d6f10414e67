import DatabaseAccess
import FoundationEssentials
import LedgerStore
import RunbookModel

/// Rehearses one tenant at a time, on a thread and connections of its own.
actor RehearsalWorker {
    private let thread: WorkerThread
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe thread.asUnownedSerialExecutor() }

    private let context: RehearsalContext
    private var current: (url: String, session: any DatabaseSession, place: ServerPlace)?
    /// By server. Measured by each worker, while others are at work as they are in apply.
    private var costs: [String: ServerCost?] = [:]
    private var holder: (locks: any AdvisoryLocks, session: (any DatabaseSession)?)?

    init(number: Int, context: RehearsalContext) {
        thread = WorkerThread(named: "muster-\(number)")
        self.context = context
    }

    /// Where code that uses the worker is best run: without a change of thread.
    nonisolated var executor: any TaskExecutor { thread }

    func rehearse(_ plan: RehearsalPlan, in member: TenantSet.Member) -> RehearsalQueue.Answer {
        var course = RehearsalCourse()
        var sights = RehearsalSights()
        var beside: Duration?
        let start = ContinuousClock.now
        if context.stop.isStopping {
            course.stop(.stopped, "stopped before it was begun", before: plan)
        } else if plan.hasWork {
            do throws(DatabaseError) {
                sights =
                    member.target.url.revealed.hasPrefix("sqlite:")
                    ? try inFile(plan, member, &course) : try onServer(plan, member, &course)
                if course.obstacle == nil {
                    let took = course.took.reduce(.zero) { $0 + $1.duration }
                    beside = max(.zero, .now - start - took - sights.notInApply)
                }
            } catch {
                course.stop(error.code == .busy ? .busy : .unreachable, context.mask.text("\(error)"), before: plan)
            }
        } else {
            course.go(through: plan, clock: { .zero }, perform: { _ in .succeeded(rows: 0) })
        }
        let began = ContinuousClock.now
        course.goDry(
            clock: { .now - began },
            perform: { runbook in
                HookRehearsal(runbook: runbook, member: member, context: context).run()
            })
        let name = member.tenant.id.nilIfEmpty
        return RehearsalQueue.Answer(
            tenant: RehearsalReport.RehearsedTenant(
                tenant: name, course, heldMS: sights.heldMS, locks: sights.locks),
            failures: course.failures.map(context.mask.failure), course: course, beside: name == nil ? nil : beside,
            cost: sights.cost, waitsAtEnd: sights.waitsAtEnd)
    }

    /// Starts a hook around the run or a tenant, dry.
    func start(_ hook: RunHookRun) -> RunHookVerdict { hook.run() }

    func close() {
        current?.session.close()
        current = nil
        holder?.session?.close()
        holder = nil
    }

    private func onServer(
        _ plan: RehearsalPlan, _ member: TenantSet.Member, _ course: inout RehearsalCourse
    ) throws(DatabaseError) -> RehearsalSights {
        let url = member.target.url.revealed
        let connection = try connection(to: url)
        let server = try ConnectionURL(parsing: url).server
        let (session, place) = (connection.session, connection.place)
        let asked = ContinuousClock.now
        let cost = costs[server] ?? context.commits.cost(of: session, server: server)
        costs[server] = .some(cost)
        context.wal.look(session, server: server, database: place.database)
        let looked = ContinuousClock.now
        var answer = try PostgresRehearsal(
            plan: plan, tenant: member.tenant.id, target: member.target, session: session,
            serverVersion: place.version, context: context
        ).run(&course)
        let ended = ContinuousClock.now
        if session.isUsable { context.wal.look(session, server: server, database: place.database) }
        answer.cost = cost
        answer.waitsAtEnd =
            url != context.manifest.ledger.url.revealed || context.manifest.hooks[.afterTenant] != nil
        answer.notInApply += looked - asked + (.now - ended)
        return answer
    }

    private func connection(
        to url: String
    ) throws(DatabaseError) -> (session: any DatabaseSession, place: ServerPlace) {
        if let current, current.url == url, current.session.isUsable { return (current.session, current.place) }
        current?.session.closeAndWait()
        current = nil
        let session = try context.opener.open(
            try ConnectionURL(parsing: url), SessionOptions(applicationName: RehearsalContext.applicationName))
        guard let place = try ServerPlace.of(session) else {
            session.close()
            throw DatabaseError(.misuse, "the server did not say which database it is")
        }
        current = (url, session, place)
        return (session, place)
    }

    private func inFile(
        _ plan: RehearsalPlan, _ member: TenantSet.Member, _ course: inout RehearsalCourse
    ) throws(DatabaseError) -> RehearsalSights {
        let keys = context.keys(of: member.tenant.id)
        let lock = try ledgerLocks().map { TenantLock(locks: $0, keys: keys) }
        if let lock {
            let isTaken = try context.patiently { () throws(DatabaseError) in try lock.take() }
            guard isTaken else { throw DatabaseError(.busy, RehearsalContext.lockMessage) }
        }
        defer { lock?.giveBack() }
        let session = try context.opener.open(
            try ConnectionURL(parsing: member.target.url.revealed),
            SessionOptions(
                applicationName: RehearsalContext.applicationName, busyTimeout: min(.seconds(5), context.lockWait)))
        // Temporary objects and settings live as long as the session.
        defer { session.close() }
        return try SQLiteRehearsal(
            plan: plan, tenant: member.tenant.id, target: member.target, session: session, context: context
        ).run(&course)
    }

    /// Where tenants in files are locked: at the ledger. nil while there is none: then no runner is at work, and one that
    /// begins now meets the lock of the file itself.
    private func ledgerLocks() throws(DatabaseError) -> (any AdvisoryLocks)? {
        if let holder, holder.session?.isUsable != false { return holder.locks }
        let settings = context.manifest.ledger
        let url = try ConnectionURL(parsing: (settings.directURL ?? settings.url).revealed)
        if let path = url.path {
            guard FileManager.default.fileExists(atPath: path + "-locks") else { return nil }
            let locks = try context.opener.openLockFile(beside: url)
            holder = (locks, nil)
            return locks
        }
        let session = try context.opener.open(url, SessionOptions(applicationName: RehearsalContext.applicationName))
        let check = PoolerCheck(
            url: settings.directURL ?? settings.url, isDirect: settings.directURL != nil, mode: settings.pooler)
        if let place = try ServerPlace.of(session), try check.refuses(session, place, context.opener) {
            session.close()
            throw DatabaseError(
                .refused, "the locks of tenants in files need a session, but \(PoolerCheck.finding)",
                hint: PoolerCheck.advice)
        }
        let locks = SessionAdvisoryLocks(on: session)
        holder = (locks, session)
        return locks
    }
}

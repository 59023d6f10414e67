import DatabaseAccess
import FoundationEssentials
import LedgerStore
import RunbookModel

/// A transactional script in PostgreSQL as a block of a message: claim, script and record are one transaction.
///
/// A crash before COMMIT leaves nothing, a crash after it leaves the change and its receipt. When the connection is lost
/// in between, the next claim finds out: it waits for the lock of the lost backend by trying, then reads the receipt.
struct PostgresScript {
    let runbook: Runbook
    let script: SQLScript
    let target: TenantTarget
    let ticket: ClaimTicket
    /// Something is on record that a brief claim does not judge.
    let claimsInFull: Bool

    /// What is put around the block: a transaction of its own, or that of its neighbours.
    struct Frame {
        enum Claim {
            case full
            /// In a tenant's own database, where nothing is on record yet.
            case brief
            /// Under locks that are kept to the end of the message, for all of these.
            case kept([ClaimTicket])
        }

        /// What its commit waits for.
        enum Commit {
            /// What the session or the script says.
            case own
            /// Nothing.
            case unhurried
            /// What the session says: others that wait for nothing were committed before it.
            case forAll
        }

        /// The first of its message.
        var isFirst = true
        var begins = true
        var commits = true
        var commit = Commit.own
        var claim = Claim.full
        /// Whether session locks are given back behind it.
        var unlocks = true

        var isBrief: Bool { if case .brief = claim { true } else { false } }
        var isKept: Bool { if case .kept = claim { true } else { false } }
    }

    func compose(
        into message: inout ScriptMessage, _ receipts: PostgresReceipts, serverVersion: Int, frame: Frame
    ) throws(DatabaseError) {
        let settings = settings(serverVersion)
        if frame.begins { begin(in: &message, receipts, frame) }
        let claim =
            switch frame.claim {
            case .full: try receipts.claim(ticket, setting: settings.scene())
            case .brief: try receipts.briefClaim(ticket, isFirst: frame.isFirst)
            case .kept(let tickets) where frame.isFirst: try receipts.keptClaim(tickets, setting: settings.scene())
            case .kept: try receipts.nextClaim(ticket, setting: settings.scene())
            }
        message.append(.claim, claim.text, statements: claim.statements)
        if frame.commits, frame.commit == .unhurried { message.append(.settings, LedgerSQL.notWaiting + ";") }
        if !receipts.isLocal {
            let given = try settings.text(isLocal: true)
            message.append(.settings, given.text, statements: given.statements)
            if let assertion = try settings.assertion() { message.append(.target, assertion) }
        }
        compose(into: &message)
        message.append(.record, SessionReset.beforeRecord, statements: 2)
        let record = try frame.isBrief ? receipts.briefRecord(ticket) : receipts.record(ticket, isNew: frame.isKept)
        message.append(.record, record.text, statements: record.statements)
        if frame.commit == .forAll { message.append(.settings, LedgerSQL.waitingAsUsual + ";") }
        if frame.commits { message.append(.commit, "COMMIT;") }
        message.append(.reset, SessionReset.afterRecord, statements: 6)
        if frame.unlocks { message.append(.reset, SessionReset.unlocking) }
    }

    /// Statements of a message that stand outside of a block are a transaction, which BEGIN makes one of its own; its
    /// isolation cannot be changed any more once one of them was run (PostgreSQL manual, 55.2.2.1 and SET TRANSACTION).
    private func begin(in message: inout ScriptMessage, _ receipts: PostgresReceipts, _ frame: Frame) {
        if frame.isKept {
            message.append(.begin, "BEGIN;")
        } else if frame.isFirst {
            message.append(.begin, receipts.sql.begin + ";")
        } else {
            message.append(.begin, "BEGIN; COMMIT; \(receipts.sql.begin);", statements: 3)
        }
    }

    func scene(serverVersion: Int) throws(DatabaseError) -> ClaimScene { try settings(serverVersion).scene() }

    private func settings(_ serverVersion: Int) -> PostgresSettings {
        PostgresSettings(target: target, limits: runbook.limits, serverVersion: serverVersion)
    }

    /// The script alone, with what is asked behind it.
    func compose(into message: inout ScriptMessage) {
        message.append(.script, script.text, statements: script.statements.count)
        message.append(.semicolon, ";", statements: 0)
        if let verify = runbook.verify { message.append(.verify, PostgresVerify.assertion(verify)) }
        message.append(.constraints, "SET CONSTRAINTS ALL IMMEDIATE;")
    }

    // MARK: What a failure means

    /// - Parameters:
    ///   - part: where the block's message stopped.
    ///   - statement: index of the statement of the script, counted from the answers.
    ///   - offset: 0-based place inside the script, when the server told one.
    func end(
        for error: DatabaseError, in part: ScriptMessage.Part, statement: Int, offset: Int?
    ) -> ActionEnd {
        switch (part, error.claimState) {
        case (.claim, .wrongTarget?): return wrongTarget(error)
        case (.claim, let state?): return refusal(state, error)
        case (.record, .done?): return .done(inThisRun: false)
        case (.record, .leftTransaction?):
            return .unknown(
                runbook.failure(
                    tenant: ticket.tenant, "\(error.message): what it did cannot be told", clean: false,
                    hint: "Remove the transaction control or the RESET ALL, see what is there, then decide."),
                output: nil, counted: false)
        default: break
        }
        switch error.code {
        case .interrupted: return .interrupted
        case .connectionLost, .unreachable:
            return lost(error)
        default: break
        }
        // A syntax error is met before anything runs: its position alone says where it is.
        if let offset { return failed(place.failure(error, offset: offset, statement: nil, clean: true), error) }
        switch part {
        case .target: return wrongTarget(error)
        case .script:
            return failed(place.failure(error, offset: nil, statement: statement, clean: true), error)
        case .verify:
            return failed(PostgresVerify.failure(error, runbook: runbook, tenant: ticket.tenant, clean: true), error)
        case .constraints, .commit:
            var failure = place.failure(error, offset: nil, statement: nil, clean: true)
            failure.detail = [failure.detail, "A deferred constraint was checked at the end of the script."]
                .compactMap(\.self).joined(separator: "\n")
            return failed(failure, error)
        case .begin, .claim, .settings, .semicolon, .record, .reset:
            return failed(error)
        }
    }

    /// COMMIT was answered by something else.
    func uncommitted(_ tag: String) -> ActionEnd {
        .failed(
            runbook.failure(
                tenant: ticket.tenant, "COMMIT was answered by \"\(tag)\": nothing was kept", clean: true),
            isTransient: false, output: nil, counted: false)
    }

    func refusal(_ state: ClaimState, _ error: DatabaseError) -> ActionEnd {
        ClaimRefusal(runbook: runbook, tenant: ticket.tenant).end(for: state, message: error.message)
    }

    func failed(_ error: DatabaseError) -> ActionEnd {
        let failure = place.failure(error, offset: nil, statement: nil, clean: true)
        if error.code == .interrupted { return .interrupted }
        return error.code == .connectionLost ? .lost(failure) : failed(failure, error)
    }

    func lost(_ error: DatabaseError) -> ActionEnd {
        .lost(place.failure(error, offset: nil, statement: nil, clean: true))
    }

    func unreachable(_ error: DatabaseError) -> ActionEnd {
        .unreachable(place.failure(error, offset: nil, statement: nil, clean: true))
    }

    private func failed(_ failure: Failure, _ error: DatabaseError) -> ActionEnd {
        .failed(failure, isTransient: error.isTransient, output: nil, counted: false)
    }

    private func wrongTarget(_ error: DatabaseError) -> ActionEnd {
        .failed(
            runbook.failure(
                tenant: ticket.tenant,
                "the target is not the tenant's schema: \(target.describedSchema); \(found(error))",
                clean: true, hint: "Create the schema, or grant USAGE on it, or correct the tenant's source."),
            isTransient: false, output: nil, counted: false)
    }

    private func found(_ error: DatabaseError) -> String {
        error.message.contains("current schema: ")
            ? "found " + (error.message.components(separatedBy: "current schema: ").last ?? "") : error.message
    }

    private var place: ScriptPlace { ScriptPlace(script: script, tenant: ticket.tenant, runbook: runbook) }
}

extension TenantTarget {
    /// The schema that scripts are meant to meet, for messages.
    var describedSchema: String { (searchPath?.first ?? schema).map { "\"\($0)\"" } ?? "the connection's own" }
}

extension DatabaseError {
    var claimState: ClaimState? { sqlState.flatMap(ClaimState.init) }
}

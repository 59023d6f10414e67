import DatabaseAccess
import Foundation
import LedgerStore
import RunbookModel

/// A transactional script in PostgreSQL: claim, script and record are one message and one transaction.
///
/// A crash before COMMIT leaves nothing, a crash after it leaves the change and its receipt. When the connection is lost
/// in between, the next claim finds out: it waits for the lock of the lost backend by trying, then reads the receipt.
struct PostgresScript {
    let runbook: Runbook
    let script: SQLScript
    let target: TenantTarget
    let ticket: ClaimTicket
    let connection: TenantConnection

    func run(probeFirst: Bool) -> ActionEnd {
        guard let receipts = connection.receipts, let place = connection.place else {
            return failed(DatabaseError(.misuse, "no PostgreSQL connection"))
        }
        do throws(DatabaseError) {
            if probeFirst, let end = try probe(receipts) { return end }
        } catch  where error.code == .connectionLost {
            return .unreachable(self.place.failure(error, offset: nil, statement: nil, clean: true))
        } catch {
            return failed(error)
        }
        do throws(DatabaseError) {
            return send(try compose(receipts, place))
        } catch {
            return failed(error)
        }
    }

    /// Whether the claim alone would succeed: a poll does not send the script.
    private func probe(_ receipts: PostgresReceipts) throws(DatabaseError) -> ActionEnd? {
        let claim = try receipts.claim(ticket)
        do throws(DatabaseError) {
            try connection.session.run("\(receipts.sql.begin);\n\(claim.text)\nROLLBACK;")
            return nil
        } catch {
            _ = connection.recover()
            guard let state = error.claimState else { throw error }
            return end(for: state, error)
        }
    }

    private func compose(_ receipts: PostgresReceipts, _ place: ServerPlace) throws(DatabaseError) -> ScriptMessage {
        let settings = PostgresSettings(target: target, limits: runbook.limits, serverVersion: place.version)
        var message = ScriptMessage()
        message.append(.begin, receipts.sql.begin + ";")
        let claim = try receipts.claim(ticket)
        message.append(.claim, claim.text, statements: claim.statements)
        let given = try settings.text(isLocal: true)
        message.append(.settings, given.text, statements: given.statements)
        if let assertion = try settings.assertion() { message.append(.target, assertion) }
        message.append(.script, script.text, statements: script.statements.count)
        message.append(.script, ";", statements: 0)
        if let verify = runbook.verify { message.append(.verify, PostgresVerify.assertion(verify)) }
        message.append(.constraints, "SET CONSTRAINTS ALL IMMEDIATE;")
        message.append(
            .record, "SET SESSION AUTHORIZATION DEFAULT; SET LOCAL search_path = pg_catalog;", statements: 2)
        message.append(.record, try receipts.record(ticket))
        message.append(.commit, "COMMIT;")
        message.append(.reset, SessionReset.text, statements: 8)
        return message
    }

    private func send(_ message: ScriptMessage) -> ActionEnd {
        let scriptStart = message.firstResult(of: .script) ?? 0
        let scriptEnd = scriptStart + script.statements.count
        let commit = message.firstResult(of: .commit) ?? 0
        var rows = 0
        var commitTag: String?
        var notices: [String] = []
        connection.session.onNotice = { notices.append($0) }
        defer { connection.session.onNotice = nil }
        do throws(DatabaseError) {
            try Failpoint.reach(.scriptMessage, .before)
            try connection.session.run(message.text, as: nil) { index, result in
                if index >= scriptStart, index < scriptEnd { rows += result.rowsAffected }
                if index == commit { commitTag = result.tag }
            }
            try Failpoint.reach(.scriptMessage, .after)
        } catch {
            if commitTag == "COMMIT" {
                // The change and its receipt stand; only the connection cannot be cleaned for the next tenant.
                connection.session.close()
                return .succeeded(
                    rows: rows, output: notices.joined(separator: "\n").nilIfEmpty, counted: receiptsAreLocal)
            }
            _ = connection.recover()
            return end(for: error, in: message)
        }
        guard commitTag == "COMMIT" else {
            _ = connection.recover()
            let said = commitTag.map { "\"\($0)\"" } ?? "nothing"
            return .failed(
                runbook.failure(tenant: ticket.tenant, "COMMIT was answered by \(said): nothing was kept", clean: true),
                isTransient: false, output: nil, counted: false)
        }
        return .succeeded(rows: rows, output: notices.joined(separator: "\n").nilIfEmpty, counted: receiptsAreLocal)
    }

    private var receiptsAreLocal: Bool { connection.receipts?.isLocal == true }

    // MARK: What a failure means

    private func end(for error: DatabaseError, in message: ScriptMessage) -> ActionEnd {
        let part = message.part(afterResults: error.resultsBefore)
        let scriptStart = message.firstResult(of: .script) ?? 0
        switch (part, error.claimState) {
        case (.claim, let state?): return end(for: state, error)
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
            return .lost(place.failure(error, offset: nil, statement: nil, clean: true))
        default: break
        }
        // A syntax error is met before anything runs: its position alone says where it is.
        if let position = error.position, let offset = message.offset(of: position, in: .script) {
            return failed(place.failure(error, offset: offset, statement: nil, clean: true), error)
        }
        switch part {
        case .target:
            return .failed(
                runbook.failure(
                    tenant: ticket.tenant,
                    "the target is not the tenant's schema: \(target.describedSchema); \(found(error))",
                    clean: true, hint: "Create the schema, or grant USAGE on it, or correct the tenant's source."),
                isTransient: false, output: nil, counted: false)
        case .script:
            let index = error.resultsBefore - scriptStart
            return failed(place.failure(error, offset: nil, statement: index, clean: true), error)
        case .verify:
            return failed(PostgresVerify.failure(error, runbook: runbook, tenant: ticket.tenant, clean: true), error)
        case .constraints, .commit:
            var failure = place.failure(error, offset: nil, statement: nil, clean: true)
            failure.detail = [failure.detail, "A deferred constraint was checked at the end of the script."]
                .compactMap(\.self).joined(separator: "\n")
            return failed(failure, error)
        case .begin, .claim, .settings, .record, .reset:
            return failed(error)
        }
    }

    private func end(for state: ClaimState, _ error: DatabaseError) -> ActionEnd {
        ClaimRefusal(runbook: runbook, tenant: ticket.tenant).end(for: state, message: error.message)
    }

    private func failed(_ failure: Failure, _ error: DatabaseError) -> ActionEnd {
        .failed(failure, isTransient: error.isTransient, output: nil, counted: false)
    }

    private func failed(_ error: DatabaseError) -> ActionEnd {
        let failure = place.failure(error, offset: nil, statement: nil, clean: true)
        if error.code == .interrupted { return .interrupted }
        return error.code == .connectionLost ? .lost(failure) : failed(failure, error)
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

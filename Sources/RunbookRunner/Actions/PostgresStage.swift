import DatabaseAccess
import FoundationEssentials
import LedgerStore
import RunbookModel

/// The transactional runbooks that one tenant needs next, as one message and so one round trip.
///
/// Each is a transaction of its own. Where nothing is on record yet in the ledger's database, their session keeps the
/// tenant's lock until the message ends. Else each claims anew: between two of them the lock is free for a moment, and
/// whoever takes it then ends the message at its next claim. The server stops at the first failure. When the connection
/// is lost, it may go on with the rest nevertheless; the next claims find out.
///
/// Fused, they are one transaction: all or nothing. Where the ledger is beside them, it has one claim and one record.
struct PostgresStage {
    let scripts: [PostgresScript]
    let connection: TenantConnection
    let isFused: Bool
    /// Whether all of it has reached the disk when it is answered. If not, who writes to the ledger what became of it waits
    /// for that, and makes sure that it is there.
    let waits: Bool

    /// Sends it.
    ///
    /// - Parameter hasEnded: is told the index of a script whose record was answered, as soon as that is known.
    /// - Returns: what is known of each script, in their order and without a gap; fused and failed, of the one that failed.
    func run(probeFirst: Bool, hasEnded: @escaping (Int) -> Void) -> StageEnd {
        guard let first = scripts.first, let receipts = connection.receipts, let place = connection.place else {
            return StageEnd()
        }
        do throws(DatabaseError) {
            if probeFirst, let end = try probe(first, receipts) { return StageEnd(end) }
        } catch  where error.code == .connectionLost {
            return StageEnd(first.unreachable(error))
        } catch {
            return StageEnd(first.failed(error))
        }
        // A kilobyte and a half is what stands around a script.
        var message = ScriptMessage(capacity: scripts.reduce(0) { $0 + $1.script.text.utf8.count + 1536 })
        if hasOneClaim {
            do throws(DatabaseError) { try compose(into: &message, receipts, serverVersion: place.version) } catch {
                return StageEnd(first.failed(error))
            }
            return send(message, hasEnded)
        }
        let kept = keepsLocks ? scripts.map(\.ticket) : nil
        for (index, script) in scripts.enumerated() {
            message.begin(block: index)
            do throws(DatabaseError) {
                try script.compose(
                    into: &message, receipts, serverVersion: place.version,
                    frame: frame(of: index, keeping: kept))
            } catch {
                return scripts.count > 1 && !isFused
                    ? StageEnd(isUnread: true) : StageEnd(script.failed(error), of: index)
            }
        }
        return send(message, hasEnded)
    }

    /// Whether the scripts have one claim and one record.
    private var hasOneClaim: Bool { isFused && connection.receipts?.canShareClaim(scripts.map(\.ticket)) == true }

    private func compose(
        into message: inout ScriptMessage, _ receipts: PostgresReceipts, serverVersion: Int
    ) throws(DatabaseError) {
        let tickets = scripts.map(\.ticket)
        let keepsLocks = keepsLocks
        for (index, script) in scripts.enumerated() {
            message.begin(block: index)
            let scene = try script.scene(serverVersion: serverVersion)
            if index == 0 {
                message.append(.begin, keepsLocks ? "BEGIN;" : receipts.sql.begin + ";")
                message.append(
                    .claim,
                    try keepsLocks
                        ? receipts.keptClaim(tickets, setting: scene).text
                        : receipts.claim(stage: tickets, setting: scene))
            } else {
                message.append(.settings, SessionReset.beforeRecord, statements: 2)
                message.append(.settings, SessionReset.beforeStep, statements: 5)
                message.append(.claim, try receipts.step(in: tickets, setting: scene))
            }
            // A step takes back what was set before.
            if index == scripts.count - 1, !waits { message.append(.settings, LedgerSQL.notWaiting + ";") }
            script.compose(into: &message)
        }
        message.append(.record, SessionReset.beforeRecord, statements: 2)
        message.append(.record, try receipts.record(stage: tickets, areNew: keepsLocks))
        message.append(.commit, "COMMIT;")
        message.append(.reset, SessionReset.afterRecord, statements: 6)
        message.append(.reset, SessionReset.unlocking)
    }

    /// - Parameter kept: the tickets of all of them, where locks are kept.
    private func frame(of index: Int, keeping kept: [ClaimTicket]?) -> PostgresScript.Frame {
        let (isFirst, isLast) = (index == 0, index == scripts.count - 1)
        // What is committed later is never kept without what was committed before: the last one waits for all of them.
        let commit: PostgresScript.Frame.Commit = !isLast || !waits ? .unhurried : isFirst || isFused ? .own : .forAll
        if let kept {
            return PostgresScript.Frame(isFirst: isFirst, commit: commit, claim: .kept(kept), unlocks: isLast)
        }
        return PostgresScript.Frame(
            isFirst: isFirst, begins: !isFused || isFirst, commits: !isFused || isLast, commit: commit,
            claim: isBrief(scripts[index]) ? .brief : .full)
    }

    /// Whether the tenant's lock is held from the first claim to the end of the message. A pooler might hand the session
    /// with it to somebody else.
    private var keepsLocks: Bool {
        connection.place?.isPooled == false && !scripts.contains(where: \.claimsInFull)
            && connection.receipts?.canKeepLocks(scripts.map(\.ticket)) == true
    }

    private func isBrief(_ script: PostgresScript) -> Bool {
        !script.claimsInFull && connection.receipts?.canBeBrief(script.ticket) == true
    }

    /// Whether the claim alone would succeed: a poll does not send the script.
    private func probe(_ script: PostgresScript, _ receipts: PostgresReceipts) throws(DatabaseError) -> ActionEnd? {
        let claim = try receipts.claim(script.ticket)
        do throws(DatabaseError) {
            try connection.session.run("\(receipts.sql.begin);\n\(claim.text)\nROLLBACK;")
            return nil
        } catch {
            _ = connection.recover()
            guard let state = error.claimState else { throw error }
            return script.refusal(state, error)
        }
    }

    private func send(_ message: ScriptMessage, _ hasEnded: @escaping (Int) -> Void) -> StageEnd {
        var answers = StageAnswers(message: message, count: scripts.count, hasOneClaim: hasOneClaim)
        connection.session.onNotice = { answers.take(notice: $0) }
        defer { connection.session.onNotice = nil }
        var failure: DatabaseError?
        do throws(DatabaseError) {
            try Failpoint.reach(.scriptMessage, .before)
            try connection.session.run(message.text, as: nil) { index, result in
                if let ended = answers.take(result, at: index) { hasEnded(ended) }
            }
            try Failpoint.reach(.scriptMessage, .after)
        } catch {
            failure = error
        }
        return end(answers, failure, message)
    }

    private func end(_ answers: StageAnswers, _ failure: DatabaseError?, _ message: ScriptMessage) -> StageEnd {
        var end = StageEnd()
        for (index, script) in scripts.enumerated() {
            let answer = answers.blocks[index]
            guard let tag = isFused ? answers.blocks.last?.commitTag : answer.commitTag else { break }
            end.add(
                tag == "COMMIT" ? succeeded(answer) : script.uncommitted(tag), of: index,
                milliseconds: answer.milliseconds)
        }
        let committed = end.scripts.count
        guard var failure else {
            end.isOnDisk = waits
            return end
        }
        let stopped = message.place(afterResults: failure.resultsBefore)
        var part = stopped.part
        if part == .claim || part == .record, isBrief(scripts[stopped.block]) {
            failure = PostgresReceipts.judged(failure, isRecord: part == .record)
        } else if part == .record, keepsLocks, failure.sqlState == PostgresReceipts.isThere {
            failure.sqlState = PostgresReceipts.unclear
        }
        if committed == scripts.count {
            // It stands; only the connection cannot be cleaned for the next one.
            connection.session.close()
            end.isOnDisk = waits
            return end
        }
        // Between two of them nothing fails but the cleaning.
        let isCleaned = stopped.block >= committed && connection.recover()
        if committed > 0 || failure.claimState == .done, !isCleaned || !waitForDisk() {
            // What was answered, or seen, may be gone with the server: the next claims find out.
            connection.session.close()
            return StageEnd(scripts[0].lost(failure))
        }
        if failure.sqlState == PostgresReceipts.unclear {
            end.isUnclear = true
            return end
        }
        let place = failure.position.flatMap { message.script(at: $0) }
        let isUnread = failure.resultsBefore == 0 && [.statement, .refused].contains(failure.code)
        if isUnread, scripts.count > 1, !isFused { return StageEnd(isUnread: true) }
        var index = isUnread ? place?.block ?? stopped.block : stopped.block
        if hasOneClaim, part == .claim, let state = failure.claimState {
            if index == 0 {
                // The ledger says whose refusal it is.
                index = failure.detail.flatMap { Int($0) }.map { min(max(0, $0 - 1), scripts.count - 1) } ?? 0
            } else if state == .leftTransaction {
                (index, part) = (index - 1, .record)
            }
        }
        end.add(
            scripts[index].end(
                for: failure, in: part, statement: failure.resultsBefore - message.firstResult(ofScript: index),
                offset: place?.block == index ? place?.offset : nil), of: index)
        return end
    }

    /// Waits until what was committed on the way to a failure, or by whoever was there before, has reached the disk.
    private func waitForDisk() -> Bool {
        do throws(DatabaseError) {
            try connection.session.run(LedgerSQL.waitForDisk)
            return true
        } catch {
            return false
        }
    }

    private func succeeded(_ answer: StageAnswers.Block) -> ActionEnd {
        .succeeded(
            rows: answer.rows, output: answer.notices.joined(separator: "\n").nilIfEmpty,
            counted: connection.receipts?.isLocal == true)
    }
}

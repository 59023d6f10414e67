import LedgerStore
import RunbookModel

/// What a hook's last attempt may have left running, and what is done about it before anything follows it.
struct Leftover {
    let attempt: PreviousAttempt
    let host: String
    let idempotencyKey: String

    enum Decision: Equatable {
        /// Nothing of it can be running.
        case clear
        /// Its group is on this host.
        case end(group: Int32, start: String?)
        /// It is on this host, but its number was not kept: it is looked for, else its time limit is waited for.
        case find(milliseconds: Int)
        /// It is out of reach: its time limit is waited for.
        case wait(milliseconds: Int)
    }

    /// From what is on record, and from whether that process space is this one's.
    var decision: Decision {
        guard attempt.isUnseen, let remaining = attempt.remaining else { return .clear }
        let late: Decision = remaining > 0 ? .wait(milliseconds: remaining) : .clear
        guard attempt.host == host else { return late }
        guard let group = attempt.processGroup else { return remaining > 0 ? .find(milliseconds: remaining) : .clear }
        guard let start = attempt.processStart else { return .end(group: group, start: nil) }
        switch HookGroup.isInSight(start) {
        case true?: return .end(group: group, start: start)
        case false?: return late
        case nil: return .clear
        }
    }

    /// Ends what is in reach. False when something may still be running: try again later.
    func clear() -> Bool {
        switch decision {
        case .clear: true
        case .wait: false
        case .find: HookGroup.find(mark)?.end() ?? false
        case .end(let group, let start): HookGroup(number: group, start: start, mark: mark).end()
        }
    }

    private var mark: HookGroup.Mark { HookGroup.Mark(run: attempt.run ?? "", idempotencyKey: idempotencyKey) }
}

extension Leftover {
    /// For the claim that would follow.
    init(_ attempt: PreviousAttempt, before ticket: ClaimTicket) {
        self.init(
            attempt: attempt, host: ticket.host,
            idempotencyKey: Self.idempotencyKey(ticket.workspace, ticket.tenant, ticket.identity))
    }

    static func idempotencyKey(_ workspace: String, _ tenant: String, _ identity: Identity) -> String {
        "\(workspace)/\(tenant)/\(identity)"
    }
}

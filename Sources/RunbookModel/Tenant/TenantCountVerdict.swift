/// Whether a set of tenants has a size that can be true.
package enum TenantCountVerdict: Sendable, Hashable {
    case accepted
    /// Accepted, and a reader should know.
    case notice(String)
    /// Exit 4.
    case refused(String)
}

extension TenantExpectation {
    /// Judges how many tenants the source gave, before any selection.
    ///
    /// - Parameters:
    ///   - lastSeen: how many the ledger saw last time; nil while it has never seen one.
    ///   - expected: `--expect-tenants`, which overrides everything else.
    package func verdict(count: Int, lastSeen: Int?, expected: Int?) -> TenantCountVerdict {
        if let expected {
            guard count != expected else { return .accepted }
            return .refused(
                "The source gives \(tenants(count)), and --expect-tenants says \(expected). "
                    + "Look at it with muster tenants, or correct the number.")
        }
        let accept = "or accept this with --expect-tenants \(count)."
        if let min, count < min {
            return .refused(
                "The source gives \(tenants(count)), and expect.min asks for \(min). Look at the source, \(accept)")
        }
        guard count > 0 else {
            guard let lastSeen else { return .notice("There are no tenants yet: nothing to do.") }
            return .refused(
                "The source gives no tenants, and the ledger has seen \(lastSeen) before. Look at the source "
                    + "(is it the right database?), \(accept)")
        }
        if let shrink, let lastSeen, lastSeen - count > shrink.limit(of: lastSeen) {
            return .refused(
                "The source gives \(tenants(count)), \(lastSeen - count) fewer than last time, and expect.shrink "
                    + "allows \(shrink.limit(of: lastSeen)). Look at the source, \(accept)")
        }
        return .accepted
    }

    private func tenants(_ count: Int) -> String {
        switch count {
        case 0: "no tenants"
        case 1: "1 tenant"
        default: "\(count) tenants"
        }
    }
}

/// How a relation is locked in PostgreSQL (manual, 13.3.1 "Table-Level Locks"), weakest first.
///
/// Text order would put ShareLock over AccessExclusiveLock; the order here is the server's own.
package enum RelationLockMode: String, Sendable, Codable, CaseIterable {
    case accessShare = "AccessShareLock"
    case rowShare = "RowShareLock"
    case rowExclusive = "RowExclusiveLock"
    case shareUpdateExclusive = "ShareUpdateExclusiveLock"
    case share = "ShareLock"
    case shareRowExclusive = "ShareRowExclusiveLock"
    case exclusive = "ExclusiveLock"
    case accessExclusive = "AccessExclusiveLock"

    /// From 1, as the server numbers them.
    package var rank: Int {
        switch self {
        case .accessShare: 1
        case .rowShare: 2
        case .rowExclusive: 3
        case .shareUpdateExclusive: 4
        case .share: 5
        case .shareRowExclusive: 6
        case .exclusive: 7
        case .accessExclusive: 8
        }
    }

    /// Whether two transactions cannot have these on one relation at once (manual, table 13.2).
    package func conflicts(with other: RelationLockMode) -> Bool {
        switch self {
        case .accessShare: other.rank == 8
        case .rowShare: other.rank >= 7
        case .rowExclusive: other.rank >= 5
        case .shareUpdateExclusive: other.rank >= 4
        case .share: other == .rowExclusive || other == .shareUpdateExclusive || other.rank >= 6
        case .shareRowExclusive: other.rank >= 3
        case .exclusive: other.rank >= 2
        case .accessExclusive: true
        }
    }

    package var blocksReads: Bool { conflicts(with: .accessShare) }
    package var blocksWrites: Bool { conflicts(with: .rowExclusive) }

    /// As the manual writes it: `ACCESS EXCLUSIVE`.
    package var words: String {
        rawValue.dropLast("Lock".count).reduce(into: "") { text, character in
            if character.isUppercase, !text.isEmpty { text += " " }
            text += character.uppercased()
        }
    }

    /// The strongest of several; nil of none.
    package static func strongest(_ modes: some Sequence<RelationLockMode>) -> RelationLockMode? {
        modes.max { $0.rank < $1.rank }
    }
}

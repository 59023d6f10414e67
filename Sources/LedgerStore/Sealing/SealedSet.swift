import DatabaseAccess
import RunbookModel

/// A set of finished identities, each with what it was finished with. Tenants with the same history share one.
struct SealedSet: Hashable {
    struct Member: Hashable, LedgerRow {
        static let columns: Columns = [("runbook", "text"), ("key", "text"), ("state", "text"), ("checksum", "text")]

        var runbook: String
        var key: String
        /// `succeeded` or `baselined`.
        var state: String
        var checksum: String

        init(runbook: String, key: String, state: String, checksum: String) {
            self.runbook = runbook
            self.key = key
            self.state = state
            self.checksum = checksum
        }

        /// - Parameter fields: the four, in their order.
        init(_ fields: [String]) {
            self.init(runbook: fields[0], key: fields[1], state: fields[2], checksum: fields[3])
        }

        var values: [DatabaseValue] { fields.map(DatabaseValue.text) }

        var identity: Identity { Identity(runbook: runbook, key: key) }

        private var fields: [String] { [runbook, key, state, checksum] }

        /// Each field with its length: no two members make one text.
        fileprivate var text: String { fields.map { "\($0.utf8.count):\($0)" }.joined() }
    }

    /// In the order of their texts' bytes.
    let members: [Member]

    init(_ members: some Sequence<Member>) {
        self.members = members.map { ($0, Array($0.text.utf8)) }
            .sorted { $0.1.lexicographicallyPrecedes($1.1) }.map(\.0)
    }

    /// The set with what was finished since; that counts where both know an identity.
    func adding(_ delta: [Member]) -> SealedSet {
        var byIdentity = Dictionary(members.map { ($0.identity, $0) }, uniquingKeysWith: { $1 })
        for member in delta { byIdentity[member.identity] = member }
        return SealedSet(byIdentity.values)
    }

    /// Tells sets apart.
    var digest: String { Checksum.of(members.map(\.text).joined(separator: "\n")) }
}

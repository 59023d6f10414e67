import DatabaseAccess
package import RunbookModel

/// Identities x tenants that a question is about.
///
/// Tenants to whom the same identities apply form a cohort; the members say which identities those are. That keeps a
/// question over 100,000 tenants and 50 identities at 100,000 + 50 values. A large fleet is asked about in several scopes,
/// one page of its tenants in each.
package struct LedgerScope: Sendable {
    package struct Member: Sendable, Hashable {
        package var cohort: Int
        /// Index into `identities`.
        package var identity: Int

        package init(cohort: Int, identity: Int) {
            self.cohort = cohort
            self.identity = identity
        }
    }

    package struct ScopedTenant: Sendable {
        /// Empty for the workspace's own runbooks.
        package var id: String
        package var cohort: Int
        /// For jobs that are to be made: the first stage with work, and the state to begin with.
        package var stage: Int
        package var state: JobState
        package var reason: BlockReason?

        package init(
            id: String, cohort: Int, stage: Int = 0, state: JobState = .queued, reason: BlockReason? = nil
        ) {
            self.id = id
            self.cohort = cohort
            self.stage = stage
            self.state = state
            self.reason = reason
        }
    }

    package struct ScopedIdentity: Sendable {
        package var identity: Identity
        package var checksum: String
        /// Whether done counts under any checksum.
        package var acceptsChange: Bool

        package init(identity: Identity, checksum: String, acceptsChange: Bool) {
            self.identity = identity
            self.checksum = checksum
            self.acceptsChange = acceptsChange
        }
    }

    package var tenants: [ScopedTenant]
    package var identities: [ScopedIdentity]
    package var members: [Member]
    /// How many tenants stand on pages before this one.
    package var offset: Int
    /// Whether it is asked where something is to be undone, instead of where something is to be done.
    package var isUndo = false

    package init(tenants: [ScopedTenant], identities: [ScopedIdentity], members: [Member], offset: Int = 0) {
        self.tenants = tenants
        self.offset = offset
        self.identities = identities
        self.members = members
    }
}

extension LedgerScope {
    /// The scope as relations: `t(id, cohort, ord)`, `i(runbook, key, checksum, accepts, ord)`, and
    /// `m(cohort, ord, runbook, key, checksum, accepts)`, which says what applies to a cohort; `ord` begins with 1.
    /// `first` is the number of the first parameter. With `forJobs`, `t` has `stage`, `state` and `reason` as well.
    func relations(
        _ dialect: DatabaseDialect, first: Int, forJobs: Bool = false
    ) -> (sql: String, parameters: [DatabaseValue]) {
        let tenants = tenantRelation(dialect, first: first, forJobs: forJobs)
        let next = first + tenants.parameters.count
        let identities =
            switch dialect {
            case .postgresql: postgresIdentities(next)
            case .sqlite: sqliteIdentities(next)
            }
        let members = """
            m(cohort, ord, runbook, key, checksum, accepts) as materialized (
                select p.cohort, i.ord, i.runbook, i.key, i.checksum, i.accepts from p join i on i.ord = p.identity)
            """
        let sql = [tenants.sql, identities.sql, members].joined(separator: ",\n")
        return (sql, tenants.parameters + identities.parameters)
    }

    /// The tenants alone: `t(id, cohort, ord)`.
    func tenantRelation(
        _ dialect: DatabaseDialect, first: Int, forJobs: Bool = false
    ) -> (sql: String, parameters: [DatabaseValue]) {
        let columns = "t(id, cohort, \(forJobs ? "stage, state, reason, " : "")ord)"
        switch dialect {
        case .postgresql:
            var lists = [
                ("text", LedgerList.texts(tenants.lazy.map(\.id), dialect)),
                ("int", LedgerList.integers(tenants.lazy.map(\.cohort), dialect)),
            ]
            if forJobs {
                lists += [
                    ("int", LedgerList.integers(tenants.lazy.map(\.stage), dialect)),
                    ("text", LedgerList.texts(tenants.lazy.map(\.state.rawValue), dialect)),
                    ("text", LedgerList.texts(tenants.lazy.map { $0.reason?.rawValue }, dialect)),
                ]
            }
            return (
                "\(columns) as (select * from rows from (\(Self.unnested(lists, first))) with ordinality)",
                lists.map(\.1)
            )
        case .sqlite:
            let rows = list(tenants) { tenant in
                let fields = "\(LedgerList.jsonText(tenant.id)),\(tenant.cohort)"
                guard forJobs else { return fields }
                return "\(fields),\(tenant.stage),\(LedgerList.jsonText(tenant.state.rawValue)),"
                    + (tenant.reason.map { LedgerList.jsonText($0.rawValue) } ?? "null")
            }
            let fields = (0..<(forJobs ? 5 : 2)).map(Self.field).joined(separator: ", ")
            return ("\(columns) as materialized (select \(fields), key + 1 from json_each($\(first)))", [.text(rows)])
        }
    }

    private func postgresIdentities(_ first: Int) -> (sql: String, parameters: [DatabaseValue]) {
        let dialect = DatabaseDialect.postgresql
        let i = [
            ("text", LedgerList.texts(identities.map(\.identity.runbook), dialect)),
            ("text", LedgerList.texts(identities.map(\.identity.key), dialect)),
            ("text", LedgerList.texts(identities.map(\.checksum), dialect)),
            ("boolean", LedgerList.booleans(identities.map(\.acceptsChange), dialect)),
        ]
        let p = [
            ("int", LedgerList.integers(members.map(\.cohort), dialect)),
            ("int", LedgerList.integers(members.map { $0.identity + 1 }, dialect)),
        ]
        let sql = """
            i(runbook, key, checksum, accepts, ord) as (
                select * from rows from (\(Self.unnested(i, first))) with ordinality),
            p(cohort, identity) as (select * from rows from (\(Self.unnested(p, first + i.count))))
            """
        return (sql, (i + p).map(\.1))
    }

    /// `unnest` of several arrays is grammar, not a function, and so cannot be qualified.
    private static func unnested(_ lists: [(type: String, value: DatabaseValue)], _ first: Int) -> String {
        lists.enumerated().map { "pg_catalog.unnest($\(first + $0)::\($1.type)[])" }.joined(separator: ", ")
    }

    private func sqliteIdentities(_ first: Int) -> (sql: String, parameters: [DatabaseValue]) {
        let text = LedgerList.jsonText
        let identities = list(identities) {
            let change = $0.acceptsChange ? 1 : 0
            return "\(text($0.identity.runbook)),\(text($0.identity.key)),\(text($0.checksum)),\(change)"
        }
        let fields = (0..<4).map(Self.field).joined(separator: ", ")
        let sql = """
            i(runbook, key, checksum, accepts, ord) as materialized (
                select \(fields), key + 1 from json_each($\(first))),
            p(cohort, identity) as materialized (
                select \(Self.field(0)), \(Self.field(1)) from json_each($\(first + 1)))
            """
        return (sql, [.text(identities), .text(list(members) { "\($0.cohort),\($0.identity + 1)" })])
    }

    private static func field(_ index: Int) -> String { "json_extract(value, '$[\(index)]')" }

    private func list<Element>(_ elements: [Element], _ fields: (Element) -> String) -> String {
        LedgerList.text(elements, "[", "]") { $1 += "[\(fields($0))]".utf8 }
    }
}

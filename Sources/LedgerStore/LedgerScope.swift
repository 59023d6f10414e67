import DatabaseAccess
package import RunbookModel

/// Identities x tenants that a question is about.
///
/// Tenants to whom the same identities apply form a cohort; the members say which identities those are. That keeps a
/// question over 100,000 tenants and 50 identities at 100,000 + 50 values.
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

    package init(tenants: [ScopedTenant], identities: [ScopedIdentity], members: [Member]) {
        self.tenants = tenants
        self.identities = identities
        self.members = members
    }
}

extension LedgerScope {
    /// The scope as relations: `t(id, cohort, stage, state, reason, ord)`, `i(runbook, key, checksum, accepts, ord)`,
    /// and `m(cohort, ord, runbook, key, checksum, accepts)`, which says what applies to a cohort; `ord` begins with 1.
    /// `first` is the number of the first parameter.
    func relations(_ dialect: DatabaseDialect, first: Int) -> (sql: String, parameters: [DatabaseValue]) {
        let (given, parameters) =
            switch dialect {
            case .postgresql: (postgresRelations(first), postgresParameters)
            case .sqlite: (sqliteRelations(first), sqliteParameters)
            }
        let members = """
            m(cohort, ord, runbook, key, checksum, accepts) as materialized (
                select p.cohort, i.ord, i.runbook, i.key, i.checksum, i.accepts from p join i on i.ord = p.identity)
            """
        return ("\(given),\n\(members)", parameters)
    }

    private func postgresRelations(_ first: Int) -> String {
        // `unnest` of several arrays is grammar, not a function, and so cannot be qualified.
        func p(_ offset: Int, _ type: String) -> String { "pg_catalog.unnest($\(first + offset)::\(type)[])" }
        return """
            t(id, cohort, stage, state, reason, ord) as (select * from rows from (
                \(p(0, "text")), \(p(1, "int")), \(p(2, "int")), \(p(3, "text")), \(p(4, "text"))) with ordinality),
            i(runbook, key, checksum, accepts, ord) as (select * from rows from (
                \(p(5, "text")), \(p(6, "text")), \(p(7, "text")), \(p(8, "boolean"))) with ordinality),
            p(cohort, identity) as (select * from rows from (\(p(9, "int")), \(p(10, "int"))))
            """
    }

    private var postgresParameters: [DatabaseValue] {
        let dialect = DatabaseDialect.postgresql
        return [
            LedgerList.texts(tenants.map(\.id), dialect),
            LedgerList.integers(tenants.map(\.cohort), dialect),
            LedgerList.integers(tenants.map(\.stage), dialect),
            LedgerList.texts(tenants.map(\.state.rawValue), dialect),
            LedgerList.texts(tenants.map { $0.reason?.rawValue }, dialect),
            LedgerList.texts(identities.map(\.identity.runbook), dialect),
            LedgerList.texts(identities.map(\.identity.key), dialect),
            LedgerList.texts(identities.map(\.checksum), dialect),
            LedgerList.booleans(identities.map(\.acceptsChange), dialect),
            LedgerList.integers(members.map(\.cohort), dialect),
            LedgerList.integers(members.map { $0.identity + 1 }, dialect),
        ]
    }

    private func sqliteRelations(_ first: Int) -> String {
        func f(_ index: Int) -> String { "json_extract(value, '$[\(index)]')" }
        return """
            t(id, cohort, stage, state, reason, ord) as materialized (
                select \(f(0)), \(f(1)), \(f(2)), \(f(3)), \(f(4)), key + 1 from json_each($\(first))),
            i(runbook, key, checksum, accepts, ord) as materialized (
                select \(f(0)), \(f(1)), \(f(2)), \(f(3)), key + 1 from json_each($\(first + 1))),
            p(cohort, identity) as materialized (select \(f(0)), \(f(1)) from json_each($\(first + 2)))
            """
    }

    private var sqliteParameters: [DatabaseValue] {
        let text = LedgerList.jsonText
        return [
            .text(
                list(tenants) { tenant in
                    let reason = tenant.reason.map { text($0.rawValue) } ?? "null"
                    return
                        "\(text(tenant.id)),\(tenant.cohort),\(tenant.stage),\(text(tenant.state.rawValue)),\(reason)"
                }),
            .text(
                list(identities) {
                    let change = $0.acceptsChange ? 1 : 0
                    return
                        "\(text($0.identity.runbook)),\(text($0.identity.key)),\(text($0.checksum)),\(change)"
                }),
            .text(list(members) { "\($0.cohort),\($0.identity + 1)" }),
        ]
    }

    private func list<Element>(_ elements: [Element], _ fields: (Element) -> String) -> String {
        "[" + elements.map { "[" + fields($0) + "]" }.joined(separator: ",") + "]"
    }
}

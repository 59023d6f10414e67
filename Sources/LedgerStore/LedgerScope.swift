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
        let (given, parameters) =
            switch dialect {
            case .postgresql: postgresRelations(first, forJobs)
            case .sqlite: sqliteRelations(first, forJobs)
            }
        let members = """
            m(cohort, ord, runbook, key, checksum, accepts) as materialized (
                select p.cohort, i.ord, i.runbook, i.key, i.checksum, i.accepts from p join i on i.ord = p.identity)
            """
        return ("\(given),\n\(members)", parameters)
    }

    private func postgresRelations(_ first: Int, _ forJobs: Bool) -> (String, [DatabaseValue]) {
        let dialect = DatabaseDialect.postgresql
        var parameters: [DatabaseValue] = []
        // `unnest` of several arrays is grammar, not a function, and so cannot be qualified.
        func list(_ value: DatabaseValue, _ type: String) -> String {
            parameters.append(value)
            return "pg_catalog.unnest($\(first + parameters.count - 1)::\(type)[])"
        }
        var t = [
            list(LedgerList.texts(tenants.lazy.map(\.id), dialect), "text"),
            list(LedgerList.integers(tenants.lazy.map(\.cohort), dialect), "int"),
        ]
        if forJobs {
            t.append(list(LedgerList.integers(tenants.lazy.map(\.stage), dialect), "int"))
            t.append(list(LedgerList.texts(tenants.lazy.map(\.state.rawValue), dialect), "text"))
            t.append(list(LedgerList.texts(tenants.lazy.map { $0.reason?.rawValue }, dialect), "text"))
        }
        let i = [
            list(LedgerList.texts(identities.map(\.identity.runbook), dialect), "text"),
            list(LedgerList.texts(identities.map(\.identity.key), dialect), "text"),
            list(LedgerList.texts(identities.map(\.checksum), dialect), "text"),
            list(LedgerList.booleans(identities.map(\.acceptsChange), dialect), "boolean"),
        ]
        let p = [
            list(LedgerList.integers(members.map(\.cohort), dialect), "int"),
            list(LedgerList.integers(members.map { $0.identity + 1 }, dialect), "int"),
        ]
        let sql = """
            t(id, cohort, \(forJobs ? "stage, state, reason, " : "")ord) as (
                select * from rows from (\(t.joined(separator: ", "))) with ordinality),
            i(runbook, key, checksum, accepts, ord) as (
                select * from rows from (\(i.joined(separator: ", "))) with ordinality),
            p(cohort, identity) as (select * from rows from (\(p.joined(separator: ", "))))
            """
        return (sql, parameters)
    }

    private func sqliteRelations(_ first: Int, _ forJobs: Bool) -> (String, [DatabaseValue]) {
        func f(_ index: Int) -> String { "json_extract(value, '$[\(index)]')" }
        let text = LedgerList.jsonText
        let tenants = list(tenants) { tenant in
            let fields = "\(text(tenant.id)),\(tenant.cohort)"
            guard forJobs else { return fields }
            return "\(fields),\(tenant.stage),\(text(tenant.state.rawValue)),"
                + (tenant.reason.map { text($0.rawValue) } ?? "null")
        }
        let identities = list(identities) {
            let change = $0.acceptsChange ? 1 : 0
            return "\(text($0.identity.runbook)),\(text($0.identity.key)),\(text($0.checksum)),\(change)"
        }
        let sql = """
            t(id, cohort, \(forJobs ? "stage, state, reason, " : "")ord) as materialized (
                select \((0..<(forJobs ? 5 : 2)).map(f).joined(separator: ", ")), key + 1 from json_each($\(first))),
            i(runbook, key, checksum, accepts, ord) as materialized (
                select \(f(0)), \(f(1)), \(f(2)), \(f(3)), key + 1 from json_each($\(first + 1))),
            p(cohort, identity) as materialized (select \(f(0)), \(f(1)) from json_each($\(first + 2)))
            """
        return (
            sql, [.text(tenants), .text(identities), .text(list(members) { "\($0.cohort),\($0.identity + 1)" })]
        )
    }

    private func list<Element>(_ elements: [Element], _ fields: (Element) -> String) -> String {
        LedgerList.text(elements, "[", "]") { $1 += "[\(fields($0))]".utf8 }
    }
}

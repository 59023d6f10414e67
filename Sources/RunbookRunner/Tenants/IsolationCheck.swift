import DatabaseAccess
import RunbookModel

/// Refuses a role that row security does not hold: with it, each tenant's script would touch every tenant's rows.
struct IsolationCheck {
    struct Place: Hashable {
        var url: String
        var role: String?
    }

    let target: TenantTarget
    let tenant: String
    let opener: any SessionOpener

    /// nil for SQLite, which has no row security.
    var place: Place? {
        target.url.revealed.hasPrefix("sqlite:") ? nil : Place(url: target.url.revealed, role: target.role)
    }

    /// - Returns: something a reader should know, or nil.
    /// - Throws: `.isolation` when the role bypasses row security, `.unreachable`.
    func run() throws(ServiceError) -> String? {
        let answer: DatabaseRow?
        do throws(DatabaseError) {
            let session = try opener.open(
                try ConnectionURL(parsing: target.url.revealed), SessionOptions(applicationName: "muster/check"))
            defer { session.close() }
            answer = try ask(session)
        } catch {
            let code: ServiceError.Code = error.code == .unreachable ? .unreachable : .isolation
            throw ServiceError(code, "Whether row security holds could not be asked: \(error)")
        }
        guard let answer else { return nil }
        let role = answer[0].text ?? "?"
        let remedy =
            "Use target.role with a role that does not, or say isolation: \"script\" if the scripts filter themselves."
        if answer[1].boolean == true {
            throw ServiceError(.isolation, "The role \(role) bypasses row security (it is a superuser). \(remedy)")
        }
        if answer[2].boolean == true {
            throw ServiceError(.isolation, "The role \(role) bypasses row security (BYPASSRLS). \(remedy)")
        }
        if let tables = answer[3].text {
            throw ServiceError(
                .isolation,
                "The role \(role) owns tables whose row security is not forced on their owner: \(tables). "
                    + "ALTER TABLE … FORCE ROW LEVEL SECURITY, or: \(remedy)")
        }
        return answer[4].boolean == false
            ? "No table in the target has row security: the settings alone keep no tenant's rows apart." : nil
    }

    private func ask(_ session: any DatabaseSession) throws(DatabaseError) -> DatabaseRow? {
        try session.run("BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; SELECT 1")
        if let role = target.role { try session.run("SET LOCAL ROLE \(try PostgresText.quoteIdentifier(role))") }
        try session.run("SET LOCAL search_path = pg_catalog, pg_temp")
        let row = try session.row(
            """
            select current_user::text, r.rolsuper, r.rolbypassrls,
                (select string_agg(c.oid::regclass::text, ', ' order by c.oid::regclass::text) from (
                    select oid from pg_class where relrowsecurity and not relforcerowsecurity
                        and pg_has_role(current_user, relowner, 'USAGE') limit 5) c),
                exists (select 1 from pg_class where relrowsecurity)
            from pg_roles r where r.rolname = current_user
            """)
        try session.run("ROLLBACK")
        return row
    }
}

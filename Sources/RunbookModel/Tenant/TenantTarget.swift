/// What a tenant's scripts run against: the target's templates filled in for one tenant.
package struct TenantTarget: Sendable, Hashable {
    package var url: Redacted
    package var directURL: Redacted?
    /// PostgreSQL: the tenant's schema; nil when the database is the tenant, or rows are.
    package var schema: String?
    /// PostgreSQL: `SET LOCAL ROLE`.
    package var role: String?
    /// PostgreSQL: schemas in order; nil leaves the connection's own.
    package var searchPath: [String]?
    /// Sorted by name.
    package var settings: [Setting]
    /// Whether the whole database or file is this one tenant: no schema and no settings tell it from others.
    package var holdsOneTenant: Bool
    /// SQLite: how long a commit waits for the disk.
    package var synchronous: Synchronous

    package struct Setting: Sendable, Hashable {
        package var name: String
        package var value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    package init(
        url: Redacted, directURL: Redacted? = nil, schema: String? = nil, role: String? = nil,
        searchPath: [String]? = nil, settings: [Setting] = [], holdsOneTenant: Bool = false,
        synchronous: Synchronous = .full
    ) {
        self.url = url
        self.directURL = directURL
        self.schema = schema
        self.role = role
        self.searchPath = searchPath
        self.settings = settings
        self.holdsOneTenant = holdsOneTenant
        self.synchronous = synchronous
    }
}

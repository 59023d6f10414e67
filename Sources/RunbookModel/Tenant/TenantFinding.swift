/// Why a tenant, or a set of them, is refused before anything runs.
package struct TenantFinding: Error, Sendable, Hashable {
    package enum Rule: String, Sendable, CaseIterable {
        /// A line, row or file of the source that makes no tenant.
        case source
        /// An id that is empty, too long or holds control characters.
        case id
        case duplicateID = "duplicate_id"
        /// Two tenants that are the same place.
        case duplicateTarget = "duplicate_target"
        /// A template that asks for a column which the tenant does not have.
        case column
        /// A schema, role or search path that cannot be one.
        case schema
        /// A value that may not stand where a template puts it.
        case value
        /// A selection that names no tenant or label.
        case selection
    }

    package var rule: Rule
    /// nil when it is about none, or when the source gave no id.
    package var tenant: String?
    package var message: String
    /// What to do about it.
    package var remedy: String

    package init(_ rule: Rule, tenant: String? = nil, _ message: String, remedy: String) {
        self.rule = rule
        self.tenant = tenant
        self.message = message
        self.remedy = remedy
    }
}

extension TenantFinding: CustomStringConvertible {
    /// One line, whatever the tenant is called.
    package var description: String {
        let subject = tenant.map { "tenant \(TenantID.shown($0)): " } ?? ""
        return "\(subject)\(message); \(remedy)"
    }
}

/// For whom a SQLite script runs. While one is given, the session guards the script: an authorizer denies transaction
/// control, ATTACH, DETACH, VACUUM and connection-level PRAGMAs, `muster_tenant()` and `muster_setting(name)` answer
/// from here, and leaving the transaction is an error.
package struct ScriptContext: Sendable {
    package var tenant: String
    package var settings: [String: String]
    /// Whether the script runs inside Muster's transaction. Outside (`transaction: false`) VACUUM, PRAGMAs and
    /// transaction control are the script's own business; only ATTACH and DETACH stay denied.
    package var isTransactional: Bool

    package init(tenant: String, settings: [String: String], isTransactional: Bool) {
        self.tenant = tenant
        self.settings = settings
        self.isTransactional = isTransactional
    }
}

/// What a PostgreSQL schema may be called when it is a tenant's, or the ledger's.
package enum SchemaName {
    /// Why a name is refused; nil when it is fine.
    package static func problem(_ name: String) -> String? {
        if name.isEmpty { return "a schema name is empty" }
        if name.utf8.contains(0) { return "a schema name holds a NUL" }
        // NAMEDATALEN - 1: PostgreSQL would cut the rest off and mean another schema.
        if name.utf8.count > 63 { return "a schema name is longer than 63 bytes" }
        if name == "$user" { return "\"$user\" stands for the role's own schema and names none" }
        if name.hasPrefix("pg_") || name == "information_schema" {
            return "\(name.debugDescription) belongs to PostgreSQL"
        }
        return nil
    }
}

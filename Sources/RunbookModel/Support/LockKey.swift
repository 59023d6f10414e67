/// The advisory lock keys: the same for every runner, and for an application that wants to stand aside.
///
/// Each is the first eight bytes, big-endian and signed, of SHA-256 over a text that names what is locked.
package enum LockKey {
    /// Held shared by whoever works on a tenant, exclusively by what touches more than one.
    package static func workspace(_ workspace: String) -> Int64 { key("muster:\(workspace)") }

    /// Held exclusively by whoever works on that tenant.
    package static func tenant(_ tenant: String, workspace: String) -> Int64 { key("muster:\(workspace)/\(tenant)") }

    /// Held by whoever waits for the whole workspace, so that new claims stand back.
    package static func gate(_ workspace: String) -> Int64 { key("muster:\(workspace)#gate") }

    /// Held exclusively by whoever creates or upgrades the ledger in that schema. No workspace has a "#" in its name.
    package static func upgrade(schema: String) -> Int64 { key("muster#\(schema)") }

    /// Held exclusively by a runner for as long as it lives. No workspace begins with a "#".
    package static func runner(_ runner: String) -> Int64 { key("muster:#runner/\(runner)") }

    private static func key(_ text: String) -> Int64 {
        let bits = SHA256.digest(of: text.utf8).prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Int64(bitPattern: bits)
    }
}

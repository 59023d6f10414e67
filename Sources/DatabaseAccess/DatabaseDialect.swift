/// Which engine a session talks to.
package enum DatabaseDialect: String, Sendable, Codable {
    case postgresql
    case sqlite
}

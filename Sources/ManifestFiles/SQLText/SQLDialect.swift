/// Whose rules a script is read by.
package enum SQLDialect: String, Sendable, CaseIterable {
    case postgresql
    case sqlite
}

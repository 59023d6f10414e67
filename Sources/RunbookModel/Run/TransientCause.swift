/// Why a database refused work that may well succeed a moment later.
package enum TransientCause: String, Sendable, CaseIterable {
    case serialization
    case deadlock
    case lockNotAvailable = "lock_not_available"
    case tooManyConnections = "too_many_connections"
    /// The server is going down, or an administrator ended the connection.
    case shutdown
    /// The server is starting up, going down or in recovery.
    case cannotConnectNow = "cannot_connect_now"
    /// The connection could not be made, or broke.
    case connection
    /// SQLite: somebody else holds the file.
    case busyFile = "busy_file"

    /// The cause behind a SQLSTATE (PostgreSQL manual, appendix A); nil for all that trying again does not mend.
    package init?(sqlState: String?) {
        switch sqlState {
        case "40001": self = .serialization
        case "40P01": self = .deadlock
        case "55P03": self = .lockNotAvailable
        case "53300": self = .tooManyConnections
        case "57P01", "57P02": self = .shutdown
        case "57P03": self = .cannotConnectNow
        case let state? where state.utf8.count == 5 && state.hasPrefix("08"): self = .connection
        default: return nil
        }
    }

    /// Whether the session is of no more use.
    package var endsConnection: Bool {
        switch self {
        case .tooManyConnections, .shutdown, .cannotConnectNow, .connection: true
        case .serialization, .deadlock, .lockNotAvailable, .busyFile: false
        }
    }
}

import DatabaseAccess
import RunbookModel

extension DatabaseError {
    /// Why the same work may well succeed a moment later; nil when it will not.
    var transientCause: TransientCause? {
        switch code {
        case .busy: .busyFile
        case .statement, .unreachable, .connectionLost: TransientCause(sqlState: sqlState)
        default: nil
        }
    }

    var isTransient: Bool { transientCause != nil }
}

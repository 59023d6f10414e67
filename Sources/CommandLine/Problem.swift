import DatabaseAccess
import FoundationEssentials
import ManifestFiles
package import RunbookModel

/// Any error as the outside sees it: a closed word, a text, an exit code. The one place that decides them.
package struct Problem: Error, Sendable {
    package var code: String
    package var message: String
    package var status: ExitStatus

    package init(_ code: String, _ message: String, _ status: ExitStatus) {
        self.code = code
        self.message = message
        self.status = status
    }

    package init(_ error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let error as UsageError: self.init("usage", error.message, .usage)
        case let error as ManifestError: self.init("manifest", Self.message(of: error), .refused)
        case let error as ServiceError: self.init(error.code.rawValue, error.message, error.exitStatus)
        case let error as DatabaseError: self.init(database: error)
        case is CancellationError: self.init("interrupted", "The command was interrupted.", .interrupted)
        case let error as CocoaError: self.init("file", Self.message(of: error), .failed)
        default: self.init("internal", "An error in Muster: \(error)", .failed)
        }
    }

    package var reportError: ReportError { ReportError(code: code, message: message) }

    private init(database error: DatabaseError) {
        let message = error.description + (error.hint.map { " " + $0 } ?? "")
        switch error.code {
        case .unreachable, .connectionLost, .busy: self.init("unreachable", message, .tryAgain)
        case .rejected, .refused, .damaged: self.init("ledger", message, .refused)
        case .interrupted: self.init("interrupted", message, .interrupted)
        case .statement, .misuse: self.init("internal", message, .failed)
        }
    }

    private static func message(of error: ManifestError) -> String {
        guard error.diagnostics.count > 1 else { return error.description }
        return "\(error.diagnostics.count) errors in the manifest:\n\(error.description)"
    }

    private static func message(of error: CocoaError) -> String {
        let path = error.filePath.map { "\($0): " } ?? ""
        let cause = (error.underlying as? POSIXError).map { String(describing: $0.code) }
        return path + (cause ?? "CocoaError \(error.code.rawValue)")
    }
}

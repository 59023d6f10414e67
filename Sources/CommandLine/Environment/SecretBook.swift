package import Reporting
import RunbookModel
import Synchronization

/// The secrets that were met while a command ran, for the masker at its edge.
package final class SecretBook: Sendable {
    private let secrets = Mutex<[Redacted]>([])

    func add(_ more: [Redacted]) { secrets.withLock { $0 += more } }

    package var masker: Masker { Masker(secrets.withLock { $0 }) }
}

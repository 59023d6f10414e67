private import CLibPQ

private let libpq = muster_libpq()

/// The C library behind the driver.
package enum PostgresLibrary {
    /// Why it cannot be used; nil when it can.
    static let complaint = unsafe String(copying: muster_libpq_complaint())

    /// Loads it, which takes milliseconds: for a thread beside those who will need it in a moment.
    package static func load() { _ = complaint }

    /// `15.10` for 150010 (libpq: PQlibVersion); nil where it is not installed.
    package static var version: String? {
        guard complaint == nil else { return nil }
        let number = libpq.PQlibVersion()
        return "\(number / 10000).\(number % 10000)"
    }
}

private import CLibPQ

/// The C library behind the driver.
package enum PostgresLibrary {
    /// `15.10` for 150010 (libpq: PQlibVersion).
    package static var version: String {
        let number = PQlibVersion()
        return "\(number / 10000).\(number % 10000)"
    }
}

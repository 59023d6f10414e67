private import CSQLite

/// The C library behind the driver.
package enum SQLiteLibrary {
    package static var version: String { unsafe String(cString: sqlite3_libversion()) }
}

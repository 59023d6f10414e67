private import CSQLite
internal import DatabaseAccess

/// A prepared statement, finalized with its owner. It may outlive the closing of its connection
/// (https://www.sqlite.org/c3ref/close.html).
@safe
struct SQLiteStatement: ~Copyable {
    private let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    deinit { unsafe sqlite3_finalize(pointer) }

    var parameterCount: Int { Int(unsafe sqlite3_bind_parameter_count(pointer)) }

    /// SQLITE_ROW, SQLITE_DONE or an error.
    func step() -> Int32 { unsafe sqlite3_step(pointer) }

    /// Ends what is under way and lets the statement be used again (https://www.sqlite.org/c3ref/reset.html).
    func reset() { unsafe sqlite3_reset(pointer) }

    /// Binds the 1-based parameter; answers a result code.
    func bind(_ value: DatabaseValue, at index: Int) -> Int32 {
        let index = Int32(index)
        switch value {
        case .null:
            return unsafe sqlite3_bind_null(pointer, index)
        case .boolean(let value):
            return unsafe sqlite3_bind_int64(pointer, index, value ? 1 : 0)
        case .integer(let value):
            return unsafe sqlite3_bind_int64(pointer, index, value)
        case .real(let value):
            return unsafe sqlite3_bind_double(pointer, index, value)
        case .text(var value):
            let length = UInt64(value.utf8.count)
            return value.withUTF8 { bytes in
                // A nil pointer would bind NULL.
                guard let start = bytes.baseAddress else {
                    return unsafe sqlite3_bind_text(pointer, index, "", 0, muster_sqlite_transient())
                }
                return unsafe start.withMemoryRebound(to: CChar.self, capacity: bytes.count) { start in
                    unsafe sqlite3_bind_text64(
                        pointer, index, start, length, muster_sqlite_transient(), UInt8(SQLITE_UTF8))
                }
            }
        case .blob(let value):
            guard !value.isEmpty else { return unsafe sqlite3_bind_zeroblob(pointer, index, 0) }
            return unsafe sqlite3_bind_blob64(
                pointer, index, value, UInt64(value.count), muster_sqlite_transient())
        }
    }

    func columns() -> [String] {
        unsafe (0..<sqlite3_column_count(pointer)).map { index in
            unsafe sqlite3_column_name(pointer, index).map { unsafe String(cString: $0) } ?? ""
        }
    }

    /// The current row.
    func row(_ columns: [String]) -> DatabaseRow {
        DatabaseRow(columns: columns, values: columns.indices.map { value(at: Int32($0)) })
    }

    private func value(at index: Int32) -> DatabaseValue {
        switch unsafe sqlite3_column_type(pointer, index) {
        case SQLITE_INTEGER: .integer(unsafe sqlite3_column_int64(pointer, index))
        case SQLITE_FLOAT: .real(unsafe sqlite3_column_double(pointer, index))
        case SQLITE_TEXT:
            // The length is asked after the text, which may convert it (https://www.sqlite.org/c3ref/column_blob.html).
            unsafe .text(String(decoding: bytes(sqlite3_column_text(pointer, index), index), as: UTF8.self))
        case SQLITE_BLOB: unsafe .blob(Array(bytes(sqlite3_column_blob(pointer, index), index)))
        default: .null
        }
    }

    private func bytes(_ start: UnsafeRawPointer?, _ index: Int32) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(pointer, index)))
    }
}

private import CLibPQ
import DatabaseAccess

private let libpq = muster_libpq()

/// One result of libpq, freed with it.
@safe
struct PostgresResult: ~Copyable {
    enum Kind {
        /// One row of a result that goes on.
        case row
        /// The end of a statement.
        case end
        case emptyStatement
        case copyIn
        case copyOut
        case copyBoth
        case failure
    }

    private let pointer: OpaquePointer

    /// Takes over what PQgetResult returned; nil is the end of a message.
    init?(owning pointer: OpaquePointer?) {
        guard let pointer = unsafe pointer else { return nil }
        unsafe self.pointer = pointer
    }

    deinit {
        unsafe libpq.PQclear(pointer)
    }

    var kind: Kind {
        switch unsafe libpq.PQresultStatus(pointer) {
        case PGRES_SINGLE_TUPLE: .row
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK: .end
        case PGRES_EMPTY_QUERY: .emptyStatement
        case PGRES_COPY_IN: .copyIn
        case PGRES_COPY_OUT: .copyOut
        case PGRES_COPY_BOTH: .copyBoth
        default: .failure
        }
    }

    /// The command tag, such as `UPDATE 3`.
    var tag: String { unsafe String(copying: libpq.PQcmdStatus(pointer)) ?? "" }

    var shape: RowShape {
        let columns = unsafe 0..<libpq.PQnfields(pointer)
        return RowShape(
            columns: columns.map { unsafe String(copying: libpq.PQfname(pointer, $0)) ?? "" },
            types: columns.map { unsafe libpq.PQftype(pointer, $0) })
    }

    /// The value in the only row of a `.row` result.
    func value(_ column: Int, _ type: UInt32) -> DatabaseValue {
        let column = Int32(column)
        guard unsafe libpq.PQgetisnull(pointer, 0, column) == 0, let start = unsafe libpq.PQgetvalue(pointer, 0, column)
        else {
            return .null
        }
        if type == TypeNumber.bytea { return unsafe Self.bytes(start) }
        let text = unsafe UnsafeRawBufferPointer(start: start, count: Int(libpq.PQgetlength(pointer, 0, column)))
        return DatabaseValue(unsafe String(decoding: text, as: UTF8.self), type: type)
    }

    /// Either form of `bytea_output`.
    private static func bytes(_ text: UnsafePointer<CChar>) -> DatabaseValue {
        var count = 0
        let bytes = unsafe text.withMemoryRebound(to: UInt8.self, capacity: 1) {
            unsafe libpq.PQunescapeBytea($0, &count)
        }
        guard let bytes = unsafe bytes else { return .null }
        defer { unsafe libpq.PQfreemem(bytes) }
        return .blob(unsafe Array(UnsafeBufferPointer(start: bytes, count: count)))
    }

    /// What the server said, or libpq in its place.
    var diagnostics: ServerDiagnostics { unsafe Self.diagnostics(of: pointer) }

    /// For results that somebody else frees, such as a notice.
    static func diagnostics(of pointer: OpaquePointer) -> ServerDiagnostics {
        func field(_ code: Int32) -> String? {
            unsafe String(copying: libpq.PQresultErrorField(pointer, code))
        }
        // libpq's own failures have no fields.
        let whole = unsafe String(copying: libpq.PQresultErrorMessage(pointer)) ?? ""
        return ServerDiagnostics(
            severity: field(muster_diag_severity), sqlState: field(muster_diag_sqlstate),
            message: field(muster_diag_message) ?? whole,
            detail: field(muster_diag_detail), hint: field(muster_diag_hint),
            position: field(muster_diag_position).flatMap { Int($0) },
            internalQuery: field(muster_diag_internal_query), context: field(muster_diag_context),
            table: field(muster_diag_table), constraint: field(muster_diag_constraint))
    }
}

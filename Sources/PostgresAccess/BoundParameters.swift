import DatabaseAccess

/// The parameters of one statement in the shape that PQsendQueryParams takes.
///
/// Values are sent as text and their types left to the server, which takes them from where they stand, so that they
/// meet columns of any type and their indexes. Bytes alone are sent as `bytea`, in binary.
struct BoundParameters {
    private(set) var types: [UInt32] = []
    private(set) var lengths: [Int32] = []
    private(set) var formats: [Int32] = []
    private(set) var values = CStringTable()

    /// - Throws: `.refused` for text with a NUL, and for more parameters than the protocol can count.
    init(_ parameters: [DatabaseValue]) throws(DatabaseError) {
        // PQ_QUERY_PARAM_MAX_LIMIT: the message counts parameters in 16 bits.
        guard parameters.count <= 65535 else {
            throw DatabaseError(.refused, "A statement of PostgreSQL takes 65535 parameters, not \(parameters.count).")
        }
        for (index, parameter) in parameters.enumerated() {
            let bytes: [UInt8]? =
                if case .blob(let bytes) = parameter { bytes } else { parameter.text.map { Array($0.utf8) } }
            var isBinary = false
            switch parameter {
            case .blob: isBinary = true
            case .text where bytes?.contains(0) == true:
                throw DatabaseError(
                    .refused, "Parameter $\(index + 1) holds a NUL character; PostgreSQL's text has none.")
            case .text, .null, .boolean, .integer, .real: break
            }
            types.append(isBinary ? TypeNumber.bytea : 0)
            formats.append(isBinary ? 1 : 0)
            lengths.append(Int32(clamping: bytes?.count ?? 0))
            values.append(bytes)
        }
    }
}

import DatabaseAccess

/// What the rows of one statement have in common.
struct RowShape {
    let columns: [String]
    let types: [UInt32]

    func row(of result: borrowing PostgresResult) -> DatabaseRow {
        var values: [DatabaseValue] = []
        values.reserveCapacity(types.count)
        for column in types.indices { values.append(result.value(column, types[column])) }
        return DatabaseRow(columns: columns, values: values)
    }
}

import DatabaseAccess

/// What is to be written of one thing: a value for each column.
protocol LedgerRow {
    typealias Columns = [(name: String, type: String)]

    static var columns: Columns { get }
    /// In the columns' order.
    var values: [DatabaseValue] { get }
}

extension Ledger {
    /// Runs a statement over rows and returns what it answers: in PostgreSQL over all of them at once, in SQLite, where a
    /// call costs less than a look into JSON for each value, over one after the other.
    ///
    /// - Parameters:
    ///   - parameters: what they have in common: the first parameters.
    ///   - statement: is given the rows as a relation.
    func rows<Row: LedgerRow>(
        over list: [Row], _ parameters: [DatabaseValue], _ statement: (String) -> String
    ) throws(DatabaseError) -> [DatabaseRow] {
        switch dialect {
        case .postgresql: return try rows(statement(relation(of: list, parameters)), with(list, parameters))
        case .sqlite:
            var rows: [DatabaseRow] = []
            try session.query(
                sql.text(statement(relation(of: list, parameters))), forEachOf: list.map { parameters + $0.values }
            ) { row throws(DatabaseError) in rows.append(row) }
            return rows
        }
    }

    /// The same for its effect.
    func execute<Row: LedgerRow>(
        over list: [Row], _ parameters: [DatabaseValue], _ statement: (String) -> String
    ) throws(DatabaseError) {
        switch dialect {
        case .postgresql: try execute(statement(relation(of: list, parameters)), with(list, parameters))
        case .sqlite: _ = try rows(over: list, parameters, statement)
        }
    }

    private func relation<Row: LedgerRow>(of list: [Row], _ parameters: [DatabaseValue]) -> String {
        let next = parameters.count + 1
        guard dialect == .sqlite else { return sql.records(Row.columns, "$\(next)") }
        let fields = Row.columns.enumerated().map { "$\(next + $0.offset) as \($0.element.name)" }
        return "(select \(fields.joined(separator: ", ")))"
    }

    private func with(_ list: [some LedgerRow], _ parameters: [DatabaseValue]) -> [DatabaseValue] {
        parameters + [.text(LedgerList.json(list))]
    }
}

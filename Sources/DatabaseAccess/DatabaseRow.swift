/// One row of a result, lent to the closure that reads it.
package struct DatabaseRow: Sendable {
    package let columns: [String]
    package let values: [DatabaseValue]

    package init(columns: [String], values: [DatabaseValue]) {
        self.columns = columns
        self.values = values
    }

    package subscript(_ index: Int) -> DatabaseValue { values[index] }

    /// The value of the first column with that name, or nil when there is none.
    package subscript(_ name: String) -> DatabaseValue? {
        columns.firstIndex(of: name).map { values[$0] }
    }
}

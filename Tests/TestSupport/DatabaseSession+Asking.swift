package import DatabaseAccess

extension DatabaseSession {
    /// The first value of the first row, as a whole number.
    package func integer(_ sql: String, _ parameters: [DatabaseValue] = []) throws -> Int? {
        try row(sql, parameters)?[0].integer
    }

    /// The first value of the first row, as text.
    package func text(_ sql: String, _ parameters: [DatabaseValue] = []) throws -> String? {
        try row(sql, parameters)?[0].text
    }

    /// How many rows the statement changed.
    package func affected(_ sql: String, _ parameters: [DatabaseValue] = []) throws -> Int {
        try execute(sql, parameters).rowsAffected
    }
}

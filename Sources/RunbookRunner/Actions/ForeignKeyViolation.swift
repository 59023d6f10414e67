import DatabaseAccess

/// Rows of one table that refer to nothing through one foreign key (sqlite.org/pragma.html#pragma_foreign_key_check).
struct ForeignKeyViolation: Hashable, CustomStringConvertible {
    var table: String
    var parent: String
    var key: Int
    var count: Int

    var description: String { "\(count) row\(count == 1 ? "" : "s") of \(table) without \(parent)" }

    static func all(in session: any DatabaseSession) throws(DatabaseError) -> [ForeignKeyViolation] {
        try session.rows("SELECT \"table\", parent, fkid, count(*) FROM pragma_foreign_key_check GROUP BY 1, 2, 3")
            .map { row in
                ForeignKeyViolation(
                    table: row[0].text ?? "", parent: row[1].text ?? "", key: row[2].integer ?? 0,
                    count: row[3].integer ?? 0)
            }
    }

    /// What is worse in `now` than it was.
    static func added(to before: [ForeignKeyViolation], in now: [ForeignKeyViolation]) -> [ForeignKeyViolation] {
        now.compactMap { violation in
            let old =
                before.first {
                    $0.table == violation.table && $0.parent == violation.parent && $0.key == violation.key
                }?.count ?? 0
            guard violation.count > old else { return nil }
            var added = violation
            added.count -= old
            return added
        }
    }
}

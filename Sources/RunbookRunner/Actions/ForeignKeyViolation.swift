import DatabaseAccess

/// Rows of one table that refer to nothing through one foreign key (sqlite.org/pragma.html#pragma_foreign_key_check).
struct ForeignKeyViolation: Hashable, CustomStringConvertible {
    var table: String
    var parent: String
    var key: Int
    var count: Int

    var description: String { "\(count) row\(count == 1 ? "" : "s") of \(table) without \(parent)" }

    static func all(in session: any DatabaseSession) throws(DatabaseError) -> [ForeignKeyViolation] {
        var counts: [ForeignKeyViolation: Int] = [:]
        // The pragma itself: as a table it has to be made one in each connection.
        try session.query("PRAGMA foreign_key_check", []) { row throws(DatabaseError) in
            let violation = ForeignKeyViolation(
                table: row[0].text ?? "", parent: row[2].text ?? "", key: row[3].integer ?? 0, count: 0)
            counts[violation, default: 0] += 1
        }
        return counts.map { violation, count in
            ForeignKeyViolation(
                table: violation.table, parent: violation.parent, key: violation.key, count: count)
        }.sorted { ($0.table, $0.key) < ($1.table, $1.key) }
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

extension SQLRules {
    /// Whether an index is built, rebuilt or dropped, or a partition detached, CONCURRENTLY.
    var isConcurrent: Bool { dialect == .postgresql && concurrentStatement != nil }

    var postgreSQLObjection: Objection? {
        if let copy = copyStream { return copy }
        if head.begins("DISCARD", "ALL") || transactional && head.begins("RESET", "ALL") {
            return (
                .sessionReset, "\(head.word(0) ?? "") ALL takes away what the run itself set on the connection",
                "remove it: the connection is reset behind every script; a single setting is reset by its name"
            )
        }
        return (concurrentStatement ?? lonelyStatement).flatMap(outsideTransaction)
    }

    /// `COPY … FROM STDIN`, `COPY … TO STDOUT`. The grammar takes both names in both directions.
    private var copyStream: Objection? {
        guard head.begins("COPY") else { return nil }
        for (direction, end) in zip(head.elements, head.elements.dropFirst())
        where end == .word("STDIN") || end == .word("STDOUT") {
            switch direction {
            case .word("FROM"):
                return (
                    .copyStream, "COPY … FROM STDIN waits for rows from the client, and a runbook has none to send",
                    "insert the rows with INSERT, or copy from a file on the server"
                )
            case .word("TO"):
                return (
                    .copyStream, "COPY … TO STDOUT sends rows to the client, and a runbook has no place for them",
                    "remove it, or copy to a file on the server"
                )
            default: continue
            }
        }
        return nil
    }

    private var concurrentStatement: String? {
        let concurrently = "CONCURRENTLY"
        switch head.word(0) {
        case "CREATE":
            let index = head.word(1) == "UNIQUE" ? 2 : 1
            return head.word(index) == "INDEX" && head.word(index + 1) == concurrently
                ? "CREATE INDEX CONCURRENTLY" : nil
        case "DROP": return head.begins("DROP", "INDEX", concurrently) ? "DROP INDEX CONCURRENTLY" : nil
        case "REINDEX": return reindexesConcurrently ? "REINDEX … CONCURRENTLY" : nil
        case "ALTER":
            guard head.word(1) == "TABLE", head.contains("DETACH"), head.elements.last == .word(concurrently)
            else { return nil }
            return "ALTER TABLE … DETACH PARTITION … CONCURRENTLY"
        default: return nil
        }
    }

    private var reindexesConcurrently: Bool {
        if head.contains("CONCURRENTLY") { return true }
        guard let option = head.enclosedWords.firstIndex(of: "CONCURRENTLY") else { return false }
        let value = head.enclosedWords.dropFirst(option + 1).first
        return value != "FALSE" && value != "OFF"
    }

    /// What PostgreSQL refuses in a transaction block (25001), besides what is CONCURRENTLY.
    private var lonelyStatement: String? {
        let (verb, object) = (head.word(0), head.word(1))
        switch (verb, object) {
        case ("VACUUM", _): return "VACUUM"
        case ("ALTER", "SYSTEM"): return "ALTER SYSTEM"
        case ("CREATE", "DATABASE"), ("DROP", "DATABASE"), ("CREATE", "TABLESPACE"), ("DROP", "TABLESPACE"),
            ("CREATE", "SUBSCRIPTION"), ("DROP", "SUBSCRIPTION"):
            return "\(verb ?? "") \(object ?? "")"
        case ("ALTER", "SUBSCRIPTION") where head.contains("PUBLICATION"):
            return "ALTER SUBSCRIPTION … PUBLICATION"
        case ("ALTER", "DATABASE") where head.word(3) == "SET" && head.word(4) == "TABLESPACE":
            return "ALTER DATABASE … SET TABLESPACE"
        case ("REINDEX", _):
            let kinds = ["DATABASE", "SYSTEM", "SCHEMA"]
            return kinds.first { head.elements.prefix(4).contains(.word($0)) }.map { "REINDEX \($0)" }
        case ("CLUSTER", _):
            // Without a table: `CLUSTER`, `CLUSTER VERBOSE`, `CLUSTER (VERBOSE)`.
            let names = head.elements.dropFirst().contains { element in
                switch element {
                case .word("VERBOSE"), .other: false
                default: true
                }
            }
            return names ? nil : "CLUSTER without a table"
        default: return nil
        }
    }
}

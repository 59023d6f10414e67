/// What may not stand in a script, judged by how a statement begins.
struct SQLRules {
    let head: SQLStatementHead
    let dialect: SQLDialect
    let transactional: Bool

    /// What is wrong with the statement; nil when nothing is.
    func finding(line: Int) -> SQLFinding? {
        guard let (rule, message, remedy) = transactionControl ?? special else { return nil }
        return SQLFinding(line: line, rule: rule, message: message, remedy: remedy)
    }

    typealias Objection = (rule: SQLFinding.Rule, message: String, remedy: String)

    private var special: Objection? {
        switch dialect {
        case .postgresql: postgreSQLObjection
        case .sqlite: sqliteObjection
        }
    }

    /// Refuses a statement inside a transaction.
    func outsideTransaction(_ name: String) -> Objection? {
        guard transactional else { return nil }
        return (
            .outsideTransaction, "\(name) cannot run inside a transaction",
            "move it to a runbook of its own with `transaction: false`"
        )
    }

    // MARK: Transactions

    private var transactionControl: Objection? {
        if let name = transactionStatement {
            return transactional
                ? (
                    .transactionControl, "\(name) in a transactional script: Muster itself begins and commits",
                    "remove it; SAVEPOINT, RELEASE and ROLLBACK TO may stay"
                )
                : (
                    .transactionControl, "\(name) in a script with `transaction: false`: each statement commits alone",
                    "remove it, or remove `transaction: false` to run the whole script in one transaction"
                )
        }
        if !transactional, let name = savepointStatement {
            return (
                .transactionControl,
                "\(name) in a script with `transaction: false`: there is no transaction to mark a place in",
                "remove it, or remove `transaction: false` to run the whole script in one transaction"
            )
        }
        return nil
    }

    /// The name of a statement that begins or ends a transaction.
    private var transactionStatement: String? {
        switch head.word(0) {
        case "BEGIN", "END": return head.word(0)
        case "COMMIT": return head.begins("COMMIT", "PREPARED") ? "COMMIT PREPARED" : "COMMIT"
        case "ROLLBACK":
            if savepointStatement != nil { return nil }
            return head.begins("ROLLBACK", "PREPARED") ? "ROLLBACK PREPARED" : "ROLLBACK"
        case "ABORT" where dialect == .postgresql: return "ABORT"
        case "START" where dialect == .postgresql: return "START TRANSACTION"
        // A prepared statement may be named so: `PREPARE transaction AS …`.
        case "PREPARE" where dialect == .postgresql && head.word(1) == "TRANSACTION":
            guard head.elements.count > 2, head.elements[2] != .word("AS"), head.elements[2] != .other(openParenthesis)
            else { return nil }
            return "PREPARE TRANSACTION"
        default: return nil
        }
    }

    private var savepointStatement: String? {
        switch head.word(0) {
        case "SAVEPOINT", "RELEASE": return head.word(0)
        case "ROLLBACK":
            // SQLite also takes a name behind TRANSACTION.
            let words = head.elements.prefix(4)
            return words.contains(.word("TO")) ? "ROLLBACK TO" : nil
        default: return nil
        }
    }
}

private let openParenthesis = UInt8(ascii: "(")

package import DatabaseAccess

/// One question to the ledger and how its rows are read: several go together.
package struct LedgerQuestion<Answer> {
    let question: DatabaseQuestion
    let read: ([DatabaseRow]) throws(DatabaseError) -> Answer

    package init(
        _ statement: String, _ parameters: [DatabaseValue],
        read: @escaping ([DatabaseRow]) throws(DatabaseError) -> Answer
    ) {
        question = DatabaseQuestion(statement, parameters)
        self.read = read
    }
}

extension Ledger {
    /// Asks one thing.
    package func answer<Answer>(to question: LedgerQuestion<Answer>) throws(DatabaseError) -> Answer {
        try question.read(try rows(question.question.sql, question.question.parameters))
    }

    /// Asks several things, one after the other, inside a transaction. In PostgreSQL all of it is one message, with what
    /// waits to be sent.
    ///
    /// - Parameter commits: whether the transaction ends with them.
    func answers<each Answer>(
        to questions: repeat LedgerQuestion<each Answer>, commits: Bool = false
    ) throws(DatabaseError) -> (repeat each Answer) {
        var texts: [DatabaseQuestion] = []
        for question in repeat each questions { texts.append(question.question) }
        var answers = try answers(to: texts, commits: commits)[...]
        return (repeat try (each questions).read(answers.removeFirst()))
    }

    /// Asks several things in a transaction of their own, where nothing can be written. In PostgreSQL all of it is one
    /// message.
    package func reading<each Answer>(
        _ questions: repeat LedgerQuestion<each Answer>
    ) throws(DatabaseError) -> (repeat each Answer) {
        // Not by `answers(to:)` in a closure: Swift 6.3's optimizer crashes where one captures the questions.
        var texts: [DatabaseQuestion] = []
        for question in repeat each questions { texts.append(question.question) }
        var answers = try asked(texts, in: sql.beginReadOnly)[...]
        return (repeat try (each questions).read(answers.removeFirst()))
    }
}

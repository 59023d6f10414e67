/// What a statement on an index is without the word CONCURRENTLY: with the same effect, inside a transaction, and with
/// stronger locks.
package struct PlainTwin: Sendable, Hashable {
    package enum Work: Sendable, Hashable {
        /// - Parameters:
        ///   - index: nil where the server finds a name.
        ///   - table: as it is written.
        case build(index: String?, table: String)
        /// Takes away what an interrupted build may have left.
        case drop(index: String)
    }

    /// With blanks where the word stood: positions in it are positions in the statement.
    package var text: String
    package var work: Work
    /// The schema that is named, of the table or of the index.
    package var schema: String?

    package var isBuild: Bool { if case .build = work { true } else { false } }

    package init(text: String, work: Work, schema: String?) {
        self.text = text
        self.work = work
        self.schema = schema
    }
}

extension SQLScript {
    /// Whether all of it can be run as plain builds of indexes: each statement builds one, or takes away first what an
    /// interrupted build of it may have left.
    package var hasPlainTwin: Bool {
        !statements.isEmpty
            && statements.indices.allSatisfy { place in
                guard let twin = statements[place].plainTwin else { return false }
                guard case .drop(let dropped) = twin.work else { return true }
                return statements[(place + 1)...].contains { other in
                    guard let later = other.plainTwin, case .build(let index, _) = later.work else { return false }
                    return index == dropped && later.schema == twin.schema
                }
            }
    }
}

extension Runbook {
    /// Whether a rehearsal runs the plain twins of its statements.
    package var isRehearsedAsPlainBuild: Bool {
        guard case .sql(let script) = action else { return false }
        return !transaction && !shared && script.hasPlainTwin
    }
}
